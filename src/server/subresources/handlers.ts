export type { SubresourceHandler } from '../operation/operation.ts';

export type { ResourceEntry, VerbServices } from './operation/operation.ts';

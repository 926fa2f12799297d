import type { VerbHandler } from '../operation/operation.ts';

export const get: VerbHandler = async ({ operation }, { entry }) => ({
  type: 'object',
  code: 200,
  object: await entry.objects.get(operation.namespace, operation.name),
});

import type { VerbHandler } from '../operation/operation.ts';

export const get: VerbHandler = async ({ operation, query }, { entry: { objects } }) => {
  const { namespace, name } = operation;
  const resourceVersion = query.get('resourceVersion') ?? '';
  // Refuses a version that is still to come.
  if (resourceVersion !== '' && resourceVersion !== '0')
    await objects.list({ name, ...(namespace === '' ? {} : { namespace }), resourceVersion });
  return { type: 'object', code: 200, object: await objects.get(namespace, name) };
};

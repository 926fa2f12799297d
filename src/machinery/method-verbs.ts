import type { Verb } from './resource.ts';

/** The verb that an HTTP method means on one object, at the API server as at a kubelet. */
export const methodVerbs: ReadonlyMap<string, Verb> = new Map([
  ['GET', 'get'],
  ['HEAD', 'get'],
  ['POST', 'create'],
  ['PUT', 'update'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
]);

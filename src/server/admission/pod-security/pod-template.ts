import type { KubeObject } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import type { PodToCheck } from './check.ts';

export type TemplateOf = (
  descriptor: Pick<ResourceDescriptor, 'group' | 'plural'>,
  object: KubeObject,
) => PodToCheck | undefined;

/**
 * Where a resource keeps the template of the pods that are made from it, by `plural.group`. None that is
 * served has one; a Deployment's would be `['deployments.apps', object => (object as Deployment).spec.template]`.
 */
const templates = new Map<string, (object: KubeObject) => PodToCheck | undefined>();

/** The pod that an object describes, to warn about: it is the pod itself that is refused. */
export const podTemplateOf: TemplateOf = ({ group, plural }, object) =>
  templates.get(`${plural}.${group}`)?.(object);

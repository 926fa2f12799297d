import type { KubeObject } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import type { PodToCheck } from './check.ts';

export type TemplateOf = (
  descriptor: Pick<ResourceDescriptor, 'group' | 'plural'>,
  object: KubeObject,
) => PodToCheck | undefined;

/**
 * Finds the pod template of an object, by `plural.group` of its resource. No resource served today has one; for
 * Deployments the entry would be `['deployments.apps', object => (object as Deployment).spec.template]`.
 */
const templates = new Map<string, (object: KubeObject) => PodToCheck | undefined>();

/** The pod template of an object. Templates only cause warnings; enforcement happens when their pods are created. */
export const podTemplateOf: TemplateOf = ({ group, plural }, object) =>
  templates.get(`${plural}.${group}`)?.(object);

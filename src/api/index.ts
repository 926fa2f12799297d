import type { KubeObject } from '../machinery/meta.ts';
import type { ResourceDescriptor } from '../machinery/resource.ts';
import { customResourceDefinitionResource } from './apiextensions.k8s.io/v1/custom-resource-definition.ts';
import {
  selfSubjectReviewResource,
  tokenReviewResource,
} from './authentication.k8s.io/v1/reviews.ts';
import {
  localSubjectAccessReviewResource,
  selfSubjectAccessReviewResource,
  selfSubjectRulesReviewResource,
  subjectAccessReviewResource,
} from './authorization.k8s.io/v1/reviews.ts';
import { leaseResource } from './coordination.k8s.io/v1/lease.ts';
import { configMapResource } from './core/v1/configmap.ts';
import { eventResource } from './core/v1/event.ts';
import { namespaceResource } from './core/v1/namespace.ts';
import { nodeResource } from './core/v1/node.ts';
import { podResource } from './core/v1/pod.ts';
import { secretResource } from './core/v1/secret.ts';
import { serviceAccountResource } from './core/v1/service-account.ts';
import { serviceResource } from './core/v1/service.ts';
import { eventsEventResource } from './events.k8s.io/v1/event.ts';
import { clusterRoleBindingResource } from './rbac.authorization.k8s.io/v1/cluster-role-binding.ts';
import { clusterRoleResource } from './rbac.authorization.k8s.io/v1/cluster-role.ts';
import { roleBindingResource } from './rbac.authorization.k8s.io/v1/role-binding.ts';
import { roleResource } from './rbac.authorization.k8s.io/v1/role.ts';

/** A descriptor whose type parameter no longer matters: what is generic works on any object. */
const anyResource = <T extends KubeObject>(descriptor: ResourceDescriptor<T>): ResourceDescriptor =>
  descriptor;

/** Every resource that the server serves. */
export const resources: readonly ResourceDescriptor[] = [
  anyResource(configMapResource),
  anyResource(eventResource),
  anyResource(namespaceResource),
  anyResource(nodeResource),
  anyResource(podResource),
  anyResource(secretResource),
  anyResource(serviceResource),
  anyResource(serviceAccountResource),
  anyResource(leaseResource),
  anyResource(eventsEventResource),
  anyResource(customResourceDefinitionResource),
  anyResource(tokenReviewResource),
  anyResource(selfSubjectReviewResource),
  anyResource(subjectAccessReviewResource),
  anyResource(localSubjectAccessReviewResource),
  anyResource(selfSubjectAccessReviewResource),
  anyResource(selfSubjectRulesReviewResource),
  anyResource(roleResource),
  anyResource(roleBindingResource),
  anyResource(clusterRoleResource),
  anyResource(clusterRoleBindingResource),
];

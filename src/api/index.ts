import type { ResourceDescriptor } from '../machinery/resource.ts';
import { apiExtensionsResources } from './apiextensions.k8s.io/index.ts';
import { authenticationResources } from './authentication.k8s.io/index.ts';
import { authorizationResources } from './authorization.k8s.io/index.ts';
import { coordinationResources } from './coordination.k8s.io/index.ts';
import { coreResources } from './core/index.ts';
import { eventsResources } from './events.k8s.io/index.ts';
import { rbacResources } from './rbac.authorization.k8s.io/index.ts';

/** Every built-in resource, in the order in which discovery shows their groups. */
export const resources: readonly ResourceDescriptor[] = [
  ...coreResources,
  ...coordinationResources,
  ...eventsResources,
  ...apiExtensionsResources,
  ...authenticationResources,
  ...authorizationResources,
  ...rbacResources,
];

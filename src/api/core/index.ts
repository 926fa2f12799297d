import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { configMapResource } from './v1/configmap.ts';
import { eventResource } from './v1/event.ts';
import { namespaceResource } from './v1/namespace.ts';
import { nodeResource } from './v1/node.ts';
import { podResource } from './v1/pod.ts';
import { secretResource } from './v1/secret.ts';
import { serviceResource } from './v1/service.ts';
import { serviceAccountResource } from './v1/service-account.ts';

export const coreResources: readonly ResourceDescriptor[] = [
  configMapResource,
  eventResource,
  namespaceResource,
  nodeResource,
  podResource,
  secretResource,
  serviceResource,
  serviceAccountResource,
];

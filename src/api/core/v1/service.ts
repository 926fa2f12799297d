import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import {
  int32,
  intOrString,
  list,
  map,
  object,
  optional,
  required,
  string,
  type Infer,
} from '../../../machinery/schema.ts';
import { ageColumn, nameColumn } from './columns.ts';

export const ServiceSchema = kindSchema(
  'io.k8s.api.core.v1.Service',
  'Service names a set of pods that serve the same.',
  {
    spec: optional(
      2,
      object('io.k8s.api.core.v1.ServiceSpec', 'Which pods, and how they are reached.', {
        ports: optional(
          1,
          list(
            object('io.k8s.api.core.v1.ServicePort', 'A port of a service.', {
              name: optional(1, string(), 'Its name.'),
              protocol: optional(2, string(), 'TCP, UDP or SCTP.'),
              port: required(3, int32(), 'The port.'),
              targetPort: optional(4, intOrString(), 'The port of the pods.'),
            }),
          ),
          'Its ports.',
          {
            strategy: 'merge',
            mergeKey: 'port',
            listType: 'map',
            listMapKeys: ['port', 'protocol'],
          },
        ),
        selector: optional(2, map(string()), 'Labels of its pods.', { mapType: 'atomic' }),
        clusterIP: optional(3, string(), 'Its address.'),
        type: optional(4, string(), 'ClusterIP, NodePort, LoadBalancer or ExternalName.'),
      }),
      'Which pods, and how they are reached.',
    ),
  },
);
export type Service = Infer<typeof ServiceSchema>;

/** Nothing leads to services yet, so that none can be created. `kubectl cluster-info` needs them in discovery. */
export const serviceResource: ResourceDescriptor<Service> = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  stored: true,
  verbs: ['delete', 'get', 'list', 'watch'],
  schema: ServiceSchema,
  columns: [nameColumn, ageColumn],
};

import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import {
  int32,
  microTime,
  object,
  optional,
  string,
  type Infer,
} from '../../../machinery/schema.ts';
import { ageColumn, allVerbs, nameColumn } from '../../core/v1/columns.ts';

export const LeaseSchema = kindSchema(
  'io.k8s.api.coordination.v1.Lease',
  'Lease says who holds something, until when: leader elections and nodes that are alive.',
  {
    spec: optional(
      2,
      object('io.k8s.api.coordination.v1.LeaseSpec', 'Who holds a lease.', {
        holderIdentity: optional(1, string(), 'Who holds it.'),
        leaseDurationSeconds: optional(2, int32(), 'How long after renewTime it lasts.'),
        acquireTime: optional(3, microTime(), 'When the holder got it.'),
        renewTime: optional(4, microTime(), 'When the holder last renewed it.'),
        leaseTransitions: optional(5, int32(), 'How often it changed hands.'),
        strategy: optional(6, string(), 'How a coordinated election picks its leader.'),
        preferredHolder: optional(7, string(), 'Who should hold it next.'),
      }),
      'Who holds it.',
    ),
  },
);
export type Lease = Infer<typeof LeaseSchema>;

export const leaseResource: ResourceDescriptor<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  singular: 'lease',
  namespaced: true,
  stored: true,
  verbs: allVerbs,
  schema: LeaseSchema,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  columns: [
    nameColumn,
    {
      name: 'Holder',
      type: 'string',
      description: 'Who holds it',
      cell: lease => lease.spec?.holderIdentity ?? '',
    },
    ageColumn,
  ],
};

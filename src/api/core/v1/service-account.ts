import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import { boolean, list, optional, type Infer } from '../../../machinery/schema.ts';
import { ageColumn, allVerbs, nameColumn } from './columns.ts';
import { LocalObjectReferenceSchema, ObjectReferenceSchema } from './references.ts';

export const ServiceAccountSchema = kindSchema(
  'io.k8s.api.core.v1.ServiceAccount',
  'ServiceAccount is an identity for what runs in pods.',
  {
    secrets: optional(2, list(ObjectReferenceSchema), 'Secrets that its pods may use.', {
      strategy: 'merge',
      mergeKey: 'name',
    }),
    imagePullSecrets: optional(
      3,
      list(LocalObjectReferenceSchema),
      'Given to each of its pods that names none itself.',
      { listType: 'atomic' },
    ),
    automountServiceAccountToken: optional(4, boolean(), 'Whether its pods get its token.'),
  },
);
export type ServiceAccount = Infer<typeof ServiceAccountSchema>;

export const serviceAccountResource: ResourceDescriptor<ServiceAccount> = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  namespaced: true,
  stored: true,
  verbs: allVerbs,
  schema: ServiceAccountSchema,
  subresources: {
    token: {
      kind: 'TokenRequest',
      group: 'authentication.k8s.io',
      version: 'v1',
      verbs: ['create'],
    },
  },
  columns: [
    nameColumn,
    {
      name: 'Secrets',
      type: 'string',
      description: 'How many secrets it lists',
      cell: account => account.secrets?.length ?? 0,
    },
    ageColumn,
  ],
};

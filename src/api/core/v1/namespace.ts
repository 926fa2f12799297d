import { invalid, path } from '../../../machinery/field-error.ts';
import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import {
  list,
  object,
  oneOf,
  optional,
  required,
  string,
  time,
  type Infer,
} from '../../../machinery/schema.ts';
import { validateFinalizers } from '../../../machinery/validation/object-meta.ts';
import { ageColumn, nameColumn } from './columns.ts';

export const NamespaceSchema = kindSchema(
  'io.k8s.api.core.v1.Namespace',
  'Namespace is a scope for names.',
  {
    spec: optional(
      2,
      object('io.k8s.api.core.v1.NamespaceSpec', 'What is wanted of a namespace.', {
        finalizers: optional(1, list(string()), 'Must be empty before the namespace is removed.'),
      }),
      'What is wanted of the namespace.',
    ),
    status: optional(
      3,
      object('io.k8s.api.core.v1.NamespaceStatus', 'What is known of a namespace.', {
        phase: optional(1, oneOf('Active', 'Terminating'), 'Active or Terminating.'),
        conditions: optional(
          2,
          list(
            object('io.k8s.api.core.v1.NamespaceCondition', 'One aspect of a namespace.', {
              type: required(1, string(), 'Which aspect.'),
              status: required(2, string(), 'True, False or Unknown.'),
              lastTransitionTime: optional(4, time(), 'When the status last changed.'),
              reason: optional(5, string(), 'Why, in a word.'),
              message: optional(6, string(), 'Why, in a sentence.'),
            }),
          ),
          'What is going on, in parts.',
          { strategy: 'merge', mergeKey: 'type' },
        ),
      }),
      'What is known of the namespace.',
    ),
  },
);
export type Namespace = Infer<typeof NamespaceSchema>;

const nameLabel = 'kubernetes.io/metadata.name';

export const namespaceResource: ResourceDescriptor<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  namespaced: false,
  stored: true,
  nameRule: 'dns-label',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  schema: NamespaceSchema,
  subresources: {
    finalize: {
      kind: 'Namespace',
      verbs: ['update'],
      update: {
        prepareForUpdate(next, old) {
          next.status = old.status;
        },
        validateUpdate: next =>
          validateFinalizers(next.spec?.finalizers ?? [], path('spec').child('finalizers')),
      },
    },
    status: {
      kind: 'Namespace',
      verbs: ['get', 'patch', 'update'],
      update: {
        prepareForUpdate(next, old) {
          next.spec = old.spec;
        },
        validateUpdate({ metadata, status }) {
          const isEnding = metadata.deletionTimestamp !== undefined;
          const phase = isEnding ? 'Terminating' : 'Active';
          return status?.phase === phase
            ? []
            : [
                invalid(
                  path('status').child('Phase'),
                  status?.phase ?? '',
                  `may only be '${phase}' if \`deletionTimestamp\` is ${isEnding ? 'not empty' : 'empty'}`,
                ),
              ];
        },
      },
    },
  },
  applyDefaults({ metadata }) {
    if (metadata.name) metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name };
  },
  prepareForCreate(namespace) {
    namespace.spec = { finalizers: ['kubernetes'] };
    namespace.status = { phase: 'Active' };
  },
  update: {
    prepareForUpdate(next, old) {
      next.spec = old.spec;
      next.status = old.status;
    },
    validateUpdate: () => [],
  },
  beginDeletion(namespace) {
    namespace.status = { ...namespace.status, phase: 'Terminating' };
  },
  isFinalized: ({ spec }) => (spec?.finalizers ?? []).length === 0,
  selectableFields: namespace => ({ 'status.phase': namespace.status?.phase ?? '' }),
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      description: 'Active or Terminating',
      cell: namespace => namespace.status?.phase ?? '',
    },
    ageColumn,
  ],
};

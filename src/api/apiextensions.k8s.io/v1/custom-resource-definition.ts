import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import { optional, raw, type Infer } from '../../../machinery/schema.ts';
import { nameColumn } from '../../core/v1/columns.ts';

export const CustomResourceDefinitionSchema = kindSchema(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  'CustomResourceDefinition makes the server serve another resource.',
  { spec: optional(2, raw(), 'The resource.') },
);
export type CustomResourceDefinition = Infer<typeof CustomResourceDefinitionSchema>;

/**
 * None can be created yet. kubectl lists them, without asking discovery, when it validates a kind that cannot be patched, such as
 * TokenReview, and gives up where there is no list.
 */
export const customResourceDefinitionResource: ResourceDescriptor<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  stored: true,
  verbs: ['delete', 'get', 'list', 'watch'],
  isUndiscovered: true,
  schema: CustomResourceDefinitionSchema,
  tracksGeneration: true,
  columns: [
    nameColumn,
    {
      name: 'Created At',
      type: 'date',
      description: 'When it was made',
      cell: definition => definition.metadata.creationTimestamp ?? null,
    },
  ],
};

import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { customResourceDefinitionResource } from './v1/custom-resource-definition.ts';

export const apiExtensionsResources: readonly ResourceDescriptor[] = [
  customResourceDefinitionResource,
];

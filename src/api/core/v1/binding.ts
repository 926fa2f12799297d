import { kindSchema } from '../../../machinery/meta.ts';
import { required, type Infer } from '../../../machinery/schema.ts';
import { ObjectReferenceSchema } from './references.ts';

export const BindingSchema = kindSchema(
  'io.k8s.api.core.v1.Binding',
  'Binding puts a pod on a node.',
  {
    target: required(2, ObjectReferenceSchema, 'The node.'),
  },
);
export type Binding = Infer<typeof BindingSchema>;

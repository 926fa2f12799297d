import { kindSchema } from '../../../machinery/meta.ts';
import { DeleteOptionsSchema } from '../../../machinery/options.ts';
import { optional, type Infer } from '../../../machinery/schema.ts';

export const EvictionSchema = kindSchema(
  'io.k8s.api.policy.v1.Eviction',
  'Eviction ends a pod, gracefully.',
  { deleteOptions: optional(2, DeleteOptionsSchema, 'How the pod is deleted.') },
);
export type Eviction = Infer<typeof EvictionSchema>;

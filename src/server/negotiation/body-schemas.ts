import { BindingSchema } from '../../api/core/v1/binding.ts';
import { resources } from '../../api/index.ts';
import { TokenRequestSchema } from '../../api/authentication.k8s.io/v1/reviews.ts';
import { EvictionSchema } from '../../api/policy/v1/eviction.ts';
import { DeleteOptionsSchema } from '../../machinery/options.ts';
import type { ObjectSchema } from '../../machinery/schema.ts';

/** The schemas of all bodies by their names: a schema cannot be sent to a thread, its name can. */
export const bodySchemas: ReadonlyMap<string, ObjectSchema> = new Map(
  [
    ...resources.map(({ schema }) => schema),
    BindingSchema,
    DeleteOptionsSchema,
    EvictionSchema,
    TokenRequestSchema,
  ].map(schema => [schema.name, schema]),
);

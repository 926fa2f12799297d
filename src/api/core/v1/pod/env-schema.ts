import {
  boolean,
  list,
  object,
  optional,
  required,
  string,
  type Infer,
} from '../../../../machinery/schema.ts';
import {
  ConfigMapKeySelectorSchema,
  localName,
  ObjectFieldSelectorSchema,
  ResourceFieldSelectorSchema,
  SecretKeySelectorSchema,
} from '../references.ts';

const core = 'io.k8s.api.core.v1';

export const EnvVarSourceSchema = object(
  `${core}.EnvVarSource`,
  "Where a variable's value comes from.",
  {
    fieldRef: optional(1, ObjectFieldSelectorSchema, 'A field of the pod.'),
    resourceFieldRef: optional(
      2,
      ResourceFieldSelectorSchema,
      'A request or limit of a container.',
    ),
    configMapKeyRef: optional(3, ConfigMapKeySelectorSchema, 'A key of a ConfigMap.'),
    secretKeyRef: optional(4, SecretKeySelectorSchema, 'A key of a Secret.'),
  },
);

export const EnvVarSchema = object(`${core}.EnvVar`, 'A variable of a container.', {
  name: required(1, string(), 'Its name.'),
  value: optional(2, string(), 'Its value; $(NAME) refers to variables before it.'),
  valueFrom: optional(3, EnvVarSourceSchema, 'Where the value comes from, if it is not given.'),
});
export type EnvVar = Infer<typeof EnvVarSchema>;

const sourceRef = (name: string, of: string) =>
  object(`${core}.${name}`, `All keys of a ${of} become variables.`, {
    ...localName,
    optional: optional(2, boolean(), `Whether the ${of} may be absent.`),
  });

export const EnvFromSourceSchema = object(
  `${core}.EnvFromSource`,
  'Variables from a whole object.',
  {
    prefix: optional(1, string(), 'Put before each key.'),
    configMapRef: optional(2, sourceRef('ConfigMapEnvSource', 'ConfigMap'), 'The ConfigMap.'),
    secretRef: optional(3, sourceRef('SecretEnvSource', 'Secret'), 'The Secret.'),
  },
);
export type EnvFromSource = Infer<typeof EnvFromSourceSchema>;

export const envFields = {
  env: optional(7, list(EnvVarSchema), 'Variables to set.', {
    strategy: 'merge',
    mergeKey: 'name',
    listType: 'map',
    listMapKeys: ['name'],
  }),
  envFrom: optional(
    19,
    list(EnvFromSourceSchema),
    'Objects whose keys become variables; later ones win, env wins over all.',
    { listType: 'atomic' },
  ),
} as const;

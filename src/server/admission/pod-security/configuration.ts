import { checkStructure, StructureError } from '../../../machinery/decode/structure.ts';
import {
  duplicate,
  invalid,
  path,
  requiredField,
  type FieldError,
  type FieldPath,
} from '../../../machinery/field-error.ts';
import { list, object, optional, string, type Infer } from '../../../machinery/schema.ts';
import { dns1123Label, dns1123Subdomain } from '../../../machinery/validation/names.ts';
import {
  levelError,
  modes,
  parseLevel,
  parseVersion,
  versionError,
  type Level,
  type LevelVersion,
  type Mode,
  type Policy,
} from './policy.ts';

/** Default policies, and who is exempt from Pod Security. */
export interface PodSecurityConfiguration {
  readonly defaults: Policy;
  readonly exemptions: {
    readonly usernames: ReadonlySet<string>;
    readonly namespaces: ReadonlySet<string>;
    readonly runtimeClasses: ReadonlySet<string>;
  };
}

const group = 'pod-security.admission.config.k8s.io';
const apiVersions = ['v1', 'v1beta1', 'v1alpha1'].map(each => `${group}/${each}`);
const kind = 'PodSecurityConfiguration';

const ConfigurationSchema = object(kind, 'Configuration of Pod Security Admission.', {
  apiVersion: optional(0, string(), 'Version of this format.'),
  kind: optional(0, string(), kind),
  defaults: optional(
    0,
    object('PodSecurityDefaults', 'Policies of namespaces without labels.', {
      enforce: optional(0, string(), 'Level that pods must meet.'),
      'enforce-version': optional(0, string(), 'Its version.'),
      audit: optional(0, string(), 'Level whose violations are audited.'),
      'audit-version': optional(0, string(), 'Its version.'),
      warn: optional(0, string(), 'Level whose violations cause warnings.'),
      'warn-version': optional(0, string(), 'Its version.'),
    }),
    'Policies of namespaces without labels.',
  ),
  exemptions: optional(
    0,
    object('PodSecurityExemptions', 'Exempt users, namespaces and runtime classes.', {
      usernames: optional(0, list(string()), 'Users.'),
      namespaces: optional(0, list(string()), 'Namespaces.'),
      runtimeClasses: optional(0, list(string()), 'Runtime classes.'),
    }),
    'Exempt users, namespaces and runtime classes.',
  ),
});
type Written = Infer<typeof ConfigurationSchema>;

/** An unusable configuration; `message` names field and value. */
export class ConfigurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigurationError';
  }
}

/** Kubernetes' defaults, except for the enforced level. */
export const defaultConfiguration = (enforce: Level = 'privileged'): PodSecurityConfiguration => {
  const privileged: LevelVersion = { level: 'privileged', version: 'latest' };
  return {
    defaults: {
      enforce: { level: enforce, version: 'latest' },
      audit: privileged,
      warn: privileged,
    },
    exemptions: { usernames: new Set(), namespaces: new Set(), runtimeClasses: new Set() },
  };
};

/**
 * Kubernetes' PodSecurityConfiguration, parsed.
 * @throws ConfigurationError
 */
export function readConfiguration(value: unknown): PodSecurityConfiguration {
  const written = structured(value);
  if (!written.apiVersion) throw new ConfigurationError("Object 'apiVersion' is missing");
  if (!written.kind) throw new ConfigurationError("Object 'Kind' is missing");
  if (written.kind !== kind || !apiVersions.includes(written.apiVersion)) {
    throw new ConfigurationError(
      `no kind "${written.kind}" is registered for version "${written.apiVersion}": expected kind "${kind}" of version "${apiVersions[0]}"`,
    );
  }
  const errors: FieldError[] = [];
  const { defaults = {}, exemptions = {} } = written;
  const of = (mode: Mode): LevelVersion => {
    const at = path('defaults');
    const level = defaults[mode] || 'privileged';
    const version = defaults[`${mode}-version`] || 'latest';
    if (parseLevel(level) === undefined) errors.push(invalid(at.child(mode), level, levelError));
    if (parseVersion(version) === undefined)
      errors.push(invalid(at.child(`${mode}-version`), version, versionError));
    return {
      level: parseLevel(level) ?? 'restricted',
      version: parseVersion(version) ?? 'latest',
    };
  };
  const [enforce, audit, warn] = modes.map(of) as [LevelVersion, LevelVersion, LevelVersion];
  const at = path('exemptions');
  const { usernames = [], namespaces = [], runtimeClasses = [] } = exemptions;
  errors.push(
    ...validateNames(namespaces, at.child('namespaces'), dns1123Label),
    ...validateNames(runtimeClasses, at.child('runtimeClasses'), dns1123Subdomain),
    ...validateNames(usernames, at.child('usernames'), () => []),
  );
  if (errors.length > 0) {
    throw new ConfigurationError(
      errors.map(({ field, message }) => `${field}: ${message}`).join('; '),
    );
  }
  return {
    defaults: { enforce, audit, warn },
    exemptions: {
      usernames: new Set(usernames),
      namespaces: new Set(namespaces),
      runtimeClasses: new Set(runtimeClasses),
    },
  };
}

function structured(value: unknown): Written {
  try {
    const { value: checked, unknownFields } = checkStructure(ConfigurationSchema, value);
    const [unknown] = unknownFields;
    if (unknown !== undefined) throw new ConfigurationError(`unknown field "${unknown}"`);
    return checked;
  } catch (error) {
    throw error instanceof StructureError ? new ConfigurationError(error.message) : error;
  }
}

function validateNames(
  names: readonly string[],
  at: FieldPath,
  rule: (name: string) => string[],
): FieldError[] {
  return names.flatMap((name, i) => {
    if (name === '') return [requiredField(at.index(i))];
    const faults = rule(name);
    if (faults.length > 0) return [invalid(at.index(i), name, faults.join(', '))];
    return names.indexOf(name) < i ? [duplicate(at.index(i), name)] : [];
  });
}

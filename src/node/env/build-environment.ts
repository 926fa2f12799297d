import type { Container, EnvVar, Pod } from '../../api/core/v1/pod.ts';
import type { EnvFromSource } from '../../api/core/v1/pod/env-schema.ts';
import { envVarNameStrict } from '../../machinery/validation/names.ts';
import { isNotFoundReference } from '../references/not-found-reference.ts';
import { secretData } from '../references/object-data.ts';
import type { References } from '../references/references.ts';
import { expand, ExpansionError, namesIn, type ExpansionBudget } from './expand.ts';
import { fieldValue, type PodPlace } from './field-ref.ts';
import { resourceValue } from './resource-field-ref.ts';

/** The container cannot be configured; `message` is what its waiting state says. Never a value. */
export class ContainerConfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ContainerConfigError';
  }
}

export interface EnvironmentRequest extends PodPlace {
  readonly pod: Pod;
  readonly container: Container;
  readonly references: Pick<References, 'getSecret' | 'getConfigMap'>;
  /** Variables of services: they give way to all others. */
  readonly serviceEnv: Readonly<Record<string, string>>;
  /** `strict` skips keys of envFrom that are no C-like names, and tells; `relaxed` passes all on. */
  readonly nameRule: 'strict' | 'relaxed';
}

export interface Environment {
  readonly envs: { key: string; value: Uint8Array }[];
  /** Names whose value is a Secret's, or holds one. */
  readonly confidential: ReadonlySet<string>;
  /** One message a source, as the event InvalidEnvironmentVariableNames says it. */
  readonly skipped: string[];
  /** Expands `$(NAME)` in command, args and subPathExpr. @throws ContainerConfigError */
  expand(text: string): string;
}

/** Of all expansions for one container: the kernel passes on no more than 6 MiB of words and variables. */
const maxExpandedLength = 16 * 1024 * 1024;

/** Values in `latin1`: a character is a byte, so that text and raw bytes can be joined without loss. */
type Values = Map<string, string>;

/**
 * The variables of a container: envFrom, then env over it, then those of services where still free
 * (the kubelet's makeEnvironmentVariables).
 * @throws ContainerConfigError
 */
export async function buildEnvironment(request: EnvironmentRequest): Promise<Environment> {
  try {
    return await build(request);
  } catch (error) {
    if (error instanceof ContainerConfigError) throw error;
    throw new ContainerConfigError((error as Error).message, { cause: error });
  }
}

async function build(request: EnvironmentRequest): Promise<Environment> {
  const { container, serviceEnv } = request;
  const values: Values = new Map();
  const confidential = new Set<string>();
  const skipped: string[] = [];
  const budget = { left: maxExpandedLength };
  for (const source of container.envFrom ?? []) {
    await addSource(request, { source, values, confidential, skipped });
  }
  const services = new Map(
    Object.entries(serviceEnv).map(([name, value]) => [name, toBytes(value)]),
  );
  for (const variable of container.env ?? []) {
    services.delete(variable.name);
    const value = variable.value
      ? expandBytes(
          variable.value,
          name => values.get(name) ?? services.get(name),
          budget,
          `environment variable ${variable.name}`,
        )
      : await valueFrom(request, variable);
    if (value === undefined) continue;
    values.set(variable.name, value);
    mark(confidential, variable.name, isConfidential(variable, confidential));
  }
  for (const [name, value] of services) if (!values.has(name)) values.set(name, value);
  return {
    envs: [...values].map(([key, value]) => ({ key, value: Buffer.from(value, 'latin1') })),
    confidential,
    skipped,
    expand: text =>
      fromBytes(expandBytes(text, name => values.get(name), budget, `container ${container.name}`)),
  };
}

/** The last to set a variable says whether it is a Secret's. */
function mark(confidential: Set<string>, name: string, secret: boolean): void {
  if (secret) confidential.add(name);
  else confidential.delete(name);
}

const isConfidential = (
  { value, valueFrom: source }: EnvVar,
  known: ReadonlySet<string>,
): boolean =>
  value ? namesIn(value).some(name => known.has(name)) : source?.secretKeyRef !== undefined;

const toBytes = (text: string): string => Buffer.from(text).toString('latin1');
const fromBytes = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();

/** @param what is expanded, for the message. @throws ContainerConfigError */
function expandBytes(
  text: string,
  valueOf: (name: string) => string | undefined,
  budget: ExpansionBudget,
  what: string,
): string {
  try {
    return expand(toBytes(text), name => valueOf(fromBytes(name)), budget);
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    throw new ContainerConfigError(
      `${what}: ${error.message}: for one container they may be ${maxExpandedLength} bytes in all`,
    );
  }
}

interface SourceTarget {
  readonly source: EnvFromSource;
  readonly values: Values;
  readonly confidential: Set<string>;
  readonly skipped: string[];
}

async function addSource(
  { pod, references, nameRule }: EnvironmentRequest,
  { source, values, confidential, skipped }: SourceTarget,
): Promise<void> {
  const namespace = pod.metadata.namespace ?? '';
  const { prefix = '', secretRef, configMapRef } = source;
  const ref = secretRef ?? configMapRef;
  if (ref === undefined) return;
  const { name: from = '', optional } = ref;
  const kind = secretRef === undefined ? 'ConfigMap' : 'Secret';
  const data = await forgiving(optional, async () =>
    secretRef === undefined
      ? textData((await references.getConfigMap(namespace, from)).data)
      : rawData(secretData(await references.getSecret(namespace, from))),
  );
  const invalid: string[] = [];
  for (const [key, value] of data ?? []) {
    const name = `${prefix}${key}`;
    if (nameRule === 'strict' && envVarNameStrict(name).length > 0) {
      invalid.push(name);
      continue;
    }
    values.set(name, whole(value, { name, key, kind, from: `${namespace}/${from}` }));
    mark(confidential, name, kind === 'Secret');
  }
  if (invalid.length > 0) {
    const what = kind === 'Secret' ? 'secret' : 'configMap';
    skipped.push(
      `Keys [${invalid.toSorted().join(', ')}] from the EnvFrom ${what} ${namespace}/${from} were skipped since they are considered invalid environment variable names.`,
    );
  }
}

/** @returns undefined where the variable is not to be set: optional, and absent */
async function valueFrom(
  request: EnvironmentRequest,
  { name, valueFrom: source }: EnvVar,
): Promise<string | undefined> {
  const { pod, container, references } = request;
  const namespace = pod.metadata.namespace ?? '';
  if (source?.fieldRef) return toBytes(fieldValue(pod, source.fieldRef.fieldPath, request));
  if (source?.resourceFieldRef) {
    const { containerName } = source.resourceFieldRef;
    const of = containerName
      ? [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(
          each => each.name === containerName,
        )
      : container;
    if (of === undefined) throw new Error(`container ${containerName} not found`);
    return resourceValue(of, source.resourceFieldRef);
  }
  const ref = source?.secretKeyRef ?? source?.configMapKeyRef;
  if (ref === undefined) return '';
  const kind = source?.secretKeyRef === undefined ? 'ConfigMap' : 'Secret';
  const { name: from = '', key, optional } = ref;
  const data = await forgiving(optional, async () =>
    kind === 'Secret'
      ? rawData(secretData(await references.getSecret(namespace, from)))
      : textData((await references.getConfigMap(namespace, from)).data),
  );
  const value = data?.get(key);
  if (value !== undefined) return whole(value, { name, key, kind, from: `${namespace}/${from}` });
  if (optional === true) return undefined;
  throw new ContainerConfigError(`couldn't find key ${key} in ${kind} ${namespace}/${from}`);
}

/** `optional` forgives that the object is not there, and nothing else. */
async function forgiving<T>(
  optional: boolean | undefined,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (optional === true && isNotFoundReference(error)) return undefined;
    throw error;
  }
}

const rawData = (data: ReadonlyMap<string, Buffer>): Values =>
  new Map([...data].map(([key, value]) => [key, value.toString('latin1')]));

/** Only the text of a ConfigMap becomes variables, as in the kubelet. */
const textData = (data: Record<string, string> = {}): Values =>
  new Map(Object.entries(data).map(([key, value]) => [key, toBytes(value)]));

function whole(
  value: string,
  { name, key, kind, from }: { name: string; key: string; kind: string; from: string },
): string {
  if (!value.includes('\0')) return value;
  throw new ContainerConfigError(
    `environment variable ${name}: the value of key ${key} in ${kind} ${from} contains a NUL byte`,
  );
}

import { duplicateFields } from '../../machinery/decode/duplicate-fields.ts';
import { decodeMessage, openEnvelope } from '../../machinery/decode/protobuf.ts';
import { checkStructure, StructureError } from '../../machinery/decode/structure.ts';
import { parseYaml } from '../../machinery/decode/yaml.ts';
import type { ObjectSchema } from '../../machinery/schema.ts';
import type { StatusError } from '../../machinery/status.ts';
import { badRequest, unsupportedMediaType } from '../../machinery/status.ts';

export const bodyTypes = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
] as const;

export interface ExpectedKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly schema: ObjectSchema;
}

export interface DecodeOptions {
  readonly contentType: string | undefined;
  /** `fieldValidation` of the query; `Warn` where it is absent. */
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  readonly warnings: string[];
}

/** An object out of a request's body, structurally sound. @throws StatusError BadRequest, UnsupportedMediaType */
export function decodeBody(
  body: Buffer,
  expected: ExpectedKind,
  options: DecodeOptions,
): Record<string, unknown> {
  const type = (options.contentType ?? 'application/json').split(';')[0]?.trim() ?? '';
  if (type === 'application/vnd.kubernetes.protobuf') return fromProtobuf(body, expected);
  const text = body.toString();
  if (type === 'application/yaml') return fromValue(yamlValue(text), [], expected, options);
  if (type !== 'application/json' && type !== '') throw unsupportedMediaType(bodyTypes);
  return fromValue(
    jsonValue(text, expected),
    options.fieldValidation === 'Ignore' ? [] : duplicateFields(text),
    expected,
    options,
  );
}

function fromProtobuf(body: Buffer, expected: ExpectedKind): Record<string, unknown> {
  try {
    const { apiVersion, kind, raw } = openEnvelope(body);
    const value = { apiVersion, kind, ...decodeMessage(expected.schema, raw) };
    return checkKind(value, expected);
  } catch (error) {
    throw error instanceof SyntaxError ? badRequest(error.message) : error;
  }
}

function jsonValue(text: string, expected: ExpectedKind): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest(`${cannotBeHandled(expected)}: ${goSyntaxText(text, error as SyntaxError)}`);
  }
}

const cannotBeHandled = ({ apiVersion, kind }: ExpectedKind): string =>
  `${kind} in version ${JSON.stringify(apiVersion.split('/').at(-1))} cannot be handled as a ${kind}`;

/** V8's message quotes the text around the fault, which may be a secret's: only the place is told. */
function goSyntaxText(text: string, error: SyntaxError): string {
  const at = Number(/position (\d+)/.exec(error.message)?.[1] ?? Number.NaN);
  if (text.trim() === '' || /end of JSON|Unterminated/i.test(error.message) || at >= text.length) {
    return 'unexpected end of JSON input';
  }
  return Number.isNaN(at) ? 'invalid character in JSON' : `invalid character after offset ${at}`;
}

function yamlValue(text: string): unknown {
  try {
    const [value] = parseYaml(text);
    return value;
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

function fromValue(
  value: unknown,
  duplicates: readonly string[],
  expected: ExpectedKind,
  { fieldValidation, warnings }: DecodeOptions,
): Record<string, unknown> {
  const filled = checkKind(value, expected);
  try {
    const { value: checked, unknownFields } = checkStructure(expected.schema, filled);
    const complaints = [
      ...unknownFields.map(field => `unknown field ${JSON.stringify(field)}`),
      ...duplicates.map(field => `duplicate field ${JSON.stringify(field)}`),
    ];
    if (complaints.length > 0 && fieldValidation === 'Strict') {
      throw badRequest(
        `${cannotBeHandled(expected)}: strict decoding error: ${complaints.join(', ')}`,
      );
    }
    if (fieldValidation === 'Warn') warnings.push(...complaints);
    return checked;
  } catch (error) {
    if (!(error instanceof StructureError)) throw error;
    throw badRequest(`${cannotBeHandled(expected)}: ${error.message}`);
  }
}

/** The body's kind must be the one that is served here; absent, it is. */
function checkKind(value: unknown, expected: ExpectedKind): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest(
      `${cannotBeHandled(expected)}: json: cannot unmarshal value into Go value of type v1.${expected.kind}`,
    );
  }
  const object = value as Record<string, unknown>;
  const apiVersion = object['apiVersion'] || expected.apiVersion;
  const kind = object['kind'] || expected.kind;
  if (kind !== expected.kind || apiVersion !== expected.apiVersion) {
    throw kindMismatch(textOf(apiVersion), textOf(kind), expected);
  }
  return { ...object, apiVersion, kind };
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

const kindMismatch = (apiVersion: string, kind: string, expected: ExpectedKind): StatusError =>
  badRequest(
    apiVersion === expected.apiVersion || kind === expected.kind
      ? `the API version in the data (${apiVersion}) does not match the expected API version (${expected.apiVersion})`
      : `${kind} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${expected.kind}: converting (${kind}) to (${expected.kind}): unknown conversion`,
  );

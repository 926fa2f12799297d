import { duplicateFields } from '../../machinery/decode/duplicate-fields.ts';
import { parseJson } from '../../machinery/decode/json.ts';
import { decodeMessage, openEnvelope } from '../../machinery/decode/protobuf.ts';
import { checkStructure, jsonType, StructureError } from '../../machinery/decode/structure.ts';
import type { ObjectSchema } from '../../machinery/schema.ts';
import { exceedsValues, maxValues } from '../../machinery/decode/value-count.ts';
import { tooManyValues, unsupportedMediaType } from '../../machinery/status.ts';
import { parseYamlAside } from './parse-yaml-aside.ts';
import { cannotBeHandled, unrecognized, wrongType, type ExpectedType } from './decode-errors.ts';

export const protobufType = 'application/vnd.kubernetes.protobuf';
export const yamlType = 'application/yaml';
const bodyTypes = ['application/json', yamlType, protobufType] as const;

export interface ExpectedKind extends ExpectedType {
  readonly schema: ObjectSchema;
}

export interface DecodeOptions {
  readonly contentType: string | undefined;
  /** `fieldValidation` of the query; `Warn` where it is absent. */
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
}

/** What became of a body. */
export interface DecodedBody {
  /** Structurally sound. */
  readonly value: Record<string, unknown>;
  readonly warnings: readonly string[];
}

/** The media type of a body, without parameters. */
export const mediaTypeOf = (contentType: string | undefined): string =>
  (contentType ?? '').split(';')[0]?.trim() || 'application/json';

/** JSON or protobuf as an object. @throws StatusError BadRequest, UnsupportedMediaType, RequestEntityTooLarge */
export function decode(body: Buffer, expected: ExpectedKind, options: DecodeOptions): DecodedBody {
  const type = mediaTypeOf(options.contentType);
  if (type === protobufType) return { value: fromProtobuf(body, expected), warnings: [] };
  if (type !== 'application/json') throw unsupportedMediaType(bodyTypes);
  return fromJson(body, expected, options);
}

function fromProtobuf(body: Buffer, expected: ExpectedKind): Record<string, unknown> {
  const { apiVersion, kind, raw } = parsed(() => openEnvelope(body), body, expected);
  const type = checkType({ apiVersion, kind }, expected, body);
  try {
    const message = decodeMessage(expected.schema, raw);
    if (exceedsValues(message, maxValues)) throw tooManyValues(maxValues);
    // What the wire format cannot promise, such as required fields, is checked as for JSON.
    return checkStructure(expected.schema, { ...message, ...type }).value;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof StructureError)) throw error;
    throw cannotBeHandled(type, expected, error.message);
  }
}

function fromJson(body: Buffer, expected: ExpectedKind, options: DecodeOptions): DecodedBody {
  const text = body.toString();
  const value = parsed(
    () => parseJson(body, text),
    body,
    expected,
    "couldn't get version/kind; json parse error: ",
  );
  const duplicates = options.fieldValidation === 'Ignore' ? [] : duplicateFields(text, value);
  return fromValue(value, { body, expected, options }, field => [
    ...field,
    ...duplicates.map(each => `duplicate field ${JSON.stringify(each)}`),
  ]);
}

/** YAML as an object: of a stream of documents the first. @throws StatusError as `decode`, TooManyRequests */
export async function decodeYaml(
  body: Buffer,
  expected: ExpectedKind,
  options: DecodeOptions,
): Promise<DecodedBody> {
  const [document] = await parseYamlAside(body.toString()).catch(notParsed(body, expected));
  if (exceedsValues(document?.value, maxValues)) throw tooManyValues(maxValues);
  const duplicates = document?.duplicateKeys ?? [];
  // Go's YAML tells all of them as one error; as warnings they come one by one.
  const complaints =
    options.fieldValidation === 'Strict' && duplicates.length > 0
      ? [`yaml: unmarshal errors:\n  ${duplicates.join('\n  ')}`]
      : duplicates;
  return fromValue(document?.value ?? null, { body, expected, options }, fields => [
    ...complaints,
    ...fields,
  ]);
}

function parsed<R>(parse: () => R, body: Buffer, expected: ExpectedType, prefix = ''): R {
  try {
    return parse();
  } catch (error) {
    return notParsed(body, expected, prefix)(error);
  }
}

/** What is no JSON, YAML or protobuf at all. */
const notParsed =
  (body: Buffer, expected: ExpectedType, prefix = '') =>
  (error: unknown): never => {
    throw error instanceof SyntaxError
      ? unrecognized(expected, `${prefix}${error.message}`, body)
      : error;
  };

interface Decoding {
  readonly body: Buffer;
  readonly expected: ExpectedKind;
  readonly options: DecodeOptions;
}

/** @param withOthers adds the complaints that the text alone gives rise to */
function fromValue(
  value: unknown,
  { body, expected, options: { fieldValidation } }: Decoding,
  withOthers: (unknownFields: string[]) => string[],
): DecodedBody {
  const object = value === null ? {} : value;
  const type = checkType(object, expected, body);
  try {
    const { value: checked, unknownFields } = checkStructure(expected.schema, {
      ...(object as object),
      ...type,
    });
    const complaints = withOthers(
      unknownFields.map(field => `unknown field ${JSON.stringify(field)}`),
    );
    if (complaints.length > 0 && fieldValidation === 'Strict') {
      throw cannotBeHandled(type, expected, `strict decoding error: ${complaints.join(', ')}`);
    }
    return { value: checked, warnings: fieldValidation === 'Warn' ? complaints : [] };
  } catch (error) {
    if (!(error instanceof StructureError)) throw error;
    throw cannotBeHandled(type, expected, error.message);
  }
}

/** As Go declares the type that it reads version and kind into. */
const goTypeMeta =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** The body's version and kind must be those that are served here; absent, they are. */
function checkType(value: unknown, expected: ExpectedType, body: Buffer): ExpectedType {
  const fault = (words: string) =>
    unrecognized(expected, `couldn't get version/kind; json parse error: json: ${words}`, body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fault(`cannot unmarshal ${jsonType(value)} into Go value of type ${goTypeMeta}`);
  }
  const text = (name: 'apiVersion' | 'kind'): string => {
    const given = (value as Record<string, unknown>)[name] ?? '';
    if (typeof given === 'string') return given || expected[name];
    throw fault(`cannot unmarshal ${jsonType(given)} into Go struct field .${name} of type string`);
  };
  const found = { apiVersion: text('apiVersion'), kind: text('kind') };
  if (found.kind !== expected.kind || found.apiVersion !== expected.apiVersion) {
    throw wrongType(found, expected);
  }
  return found;
}

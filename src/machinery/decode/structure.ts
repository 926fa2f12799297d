import { quantityError } from '../quantity.ts';
import { memberOf, setMember } from '../member.ts';
import { resolve, type Field, type ObjectSchema, type Schema } from '../schema.ts';
import { shorten } from '../shorten.ts';
import { Base64Error, normalBase64 } from './base64.ts';
import { exceedsDepth } from './depth.ts';

/** A value that a schema cannot hold. `message` is worded as Go's encoding/json words it. */
export class StructureError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StructureError';
  }
}

export interface Structure {
  /**
   * The same value without unknown fields, nulls, and lists and maps that are empty and optional, as
   * Go's `omitempty` has it; required fields that the body lacks have their zero value. Safe to keep.
   */
  readonly value: Record<string, unknown>;
  /** Paths of fields that the schema does not have: `spec.foo`; the first `maxComplaints`. */
  readonly unknownFields: readonly string[];
}

/** So many unknown or repeated fields are told of one body, as Kubernetes' decoder does. */
export const maxComplaints = 100;

/**
 * Holds a JSON value against a schema: structure only, no rules.
 * @throws StructureError at the first value of a wrong type
 */
export function checkStructure(schema: ObjectSchema, value: unknown): Structure {
  const unknownFields: string[] = [];
  const checked = checkObject(schema, value, { kind: goName(schema), path: '', unknownFields });
  return { value: checked, unknownFields };
}

interface Place {
  /** Go type that holds the field. */
  readonly kind: string;
  /** Dotted path, for messages. */
  readonly path: string;
  readonly unknownFields: string[];
}

function check(schema: Schema, value: unknown, place: Place): unknown {
  const real = resolve(schema);
  switch (real.kind) {
    case 'object':
      if (!isRecord(value)) throw mismatch(real, value, place);
      return checkObject(real, value, { ...place, kind: goName(real) });
    case 'list':
      if (!Array.isArray(value)) throw mismatch(real, value, place);
      return value.map((each, i) =>
        each === null
          ? emptyOf(real.items)
          : check(real.items, each, { ...place, path: `${place.path}[${i}]` }),
      );
    case 'map':
      return checkMap(real.values, value, place, real);
    default:
      return checkScalar(real, value, place);
  }
}

function checkObject(schema: ObjectSchema, value: unknown, place: Place): Record<string, unknown> {
  if (!isRecord(value)) throw mismatch(schema, value, place);
  const kept: Record<string, unknown> = {};
  const { unknownFields } = place;
  const kind = goName(schema);
  for (const name of Object.keys(value)) {
    const each = value[name];
    const path = place.path === '' ? name : `${place.path}.${name}`;
    const field: Field | undefined = memberOf(schema.fields, name);
    if (field === undefined) {
      if (unknownFields.length < maxComplaints) unknownFields.push(shorten(path));
    } else if (each !== null) {
      // Written out: each field of each body makes one, and a spread takes as long as the check.
      const checked = check(field.schema, each, { kind, path, unknownFields });
      if (field.required || !isEmpty(field.schema, checked)) kept[name] = checked;
    }
  }
  for (const [name, required] of requiredOf(schema)) {
    if (!Object.hasOwn(kept, name)) kept[name] = emptyOf(required);
  }
  return kept;
}

const requiredCache = new WeakMap<ObjectSchema, ReadonlyMap<string, Schema>>();

/** The required fields that have a zero value: absent from the body, Go's decoder leaves them at it. */
function requiredOf(schema: ObjectSchema): ReadonlyMap<string, Schema> {
  let required = requiredCache.get(schema);
  if (required === undefined) {
    required = new Map(
      Object.entries(schema.fields)
        .filter(([, field]) => field.required && hasZero(field.schema))
        .map(([name, field]) => [name, field.schema]),
    );
    requiredCache.set(schema, required);
  }
  return required;
}

/** A time, a quantity and a port have no zero value that a validation would take for absent. */
function hasZero(schema: Schema): boolean {
  const real = resolve(schema);
  if (real.kind === 'string') return real.format === undefined;
  return ['object', 'list', 'map', 'boolean', 'integer', 'number', 'bytes'].includes(real.kind);
}

function isEmpty(schema: Schema, value: unknown): boolean {
  const { kind } = resolve(schema);
  if (kind !== 'list' && kind !== 'map') return false;
  // Not by its keys: a list of all of them would be made.
  for (const _ in value as object) return false;
  return true;
}

function checkMap(
  values: Schema,
  value: unknown,
  place: Place,
  schema: Schema,
): Record<string, unknown> {
  if (!isRecord(value)) throw mismatch(schema, value, place);
  const checked: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(value)) {
    setMember(checked, key, each === null ? emptyOf(values) : check(values, each, place));
  }
  return checked;
}

function checkScalar(schema: Schema, value: unknown, place: Place): unknown {
  switch (schema.kind) {
    case 'string':
      if (typeof value !== 'string') throw mismatch(schema, value, place);
      return schema.format === undefined ? value : normalTime(value, schema.format);
    case 'boolean':
      if (typeof value !== 'boolean') throw mismatch(schema, value, place);
      return value;
    case 'integer':
      if (typeof value !== 'number') throw mismatch(schema, value, place);
      if (!Number.isInteger(value) || !fits(value, schema.format)) {
        throw mismatch(schema, value, place, `number ${value}`);
      }
      return value;
    case 'number':
      if (typeof value !== 'number') throw mismatch(schema, value, place);
      // What JSON.parse makes of 1e999.
      if (!Number.isFinite(value)) throw mismatch(schema, value, place, `number ${value}`);
      return value;
    case 'bytes':
      if (typeof value !== 'string') throw mismatch(schema, value, place);
      return checkBase64(value);
    case 'raw':
      // Deeper than any client writes, and than JSON.stringify can follow.
      if (exceedsDepth(value, maxRawDepth)) throw new StructureError('exceeded max depth');
      return value;
    case 'quantity':
    case 'int-or-string':
      if (typeof value !== 'string' && typeof value !== 'number')
        throw mismatch(schema, value, place);
      checkForm(schema.kind, value);
      return value;
    default:
      return value;
  }
}

const maxRawDepth = 1000;

const fits = (value: number, format: 'int32' | 'int64'): boolean =>
  format === 'int32'
    ? value <= 2_147_483_647 && value >= -2_147_483_648
    : value < 2 ** 63 && value >= -(2 ** 63);

/** What Go's types refuse by decoders of their own. */
function checkForm(kind: 'quantity' | 'int-or-string', value: string | number): void {
  if (kind === 'quantity') {
    const error = quantityError(value);
    if (error !== undefined) throw new StructureError(error);
  } else if (typeof value === 'number' && !(Number.isInteger(value) && fits(value, 'int32'))) {
    throw new StructureError(`json: cannot unmarshal number ${value} into Go value of type int32`);
  }
}

function checkBase64(text: string): string {
  try {
    return normalBase64(text);
  } catch (error) {
    throw error instanceof Base64Error ? new StructureError(error.message) : error;
  }
}

function normalTime(value: string, format: 'date-time' | 'micro-time'): string {
  const at = new Date(value);
  if (!/^\d{4}-\d\d-\d\dT/.test(value) || Number.isNaN(at.getTime())) {
    const shown = JSON.stringify(shorten(value));
    throw new StructureError(
      `parsing time ${JSON.stringify(shown)} as "2006-01-02T15:04:05Z07:00": cannot parse ${shown} as "2006"`,
    );
  }
  const utc = at.toISOString();
  // A zone can lead out of the years that RFC 3339 has, and nobody could read the time then.
  if (!/^\d{4}-/.test(utc))
    throw new StructureError('Time.MarshalJSON: year outside of range [0,9999]');
  if (format === 'date-time') return `${utc.slice(0, 19)}Z`;
  const fraction = /\.(\d{1,9})/.exec(value)?.[1] ?? '';
  return `${utc.slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`;
}

function mismatch(
  schema: Schema,
  value: unknown,
  place: Place,
  found = jsonType(value),
): StructureError {
  const into =
    place.path === ''
      ? `value`
      : `struct field ${place.kind}.${place.path.replaceAll(/\[\d+\]/g, '')}`;
  return new StructureError(
    `json: cannot unmarshal ${found} into Go ${into} of type ${goType(schema)}`,
  );
}

/** How Go names the type of a JSON value in its messages. */
export function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}

/** How Go names the type, as its error texts show it. */
function goType(schema: Schema): string {
  const real = resolve(schema);
  switch (real.kind) {
    case 'string':
      return real.format === undefined ? 'string' : 'v1.Time';
    case 'boolean':
      return 'bool';
    case 'integer':
      return real.format;
    case 'number':
      return 'float64';
    case 'bytes':
      return '[]uint8';
    case 'quantity':
      return 'resource.Quantity';
    case 'int-or-string':
      return 'intstr.IntOrString';
    case 'raw':
      return 'runtime.RawExtension';
    case 'map':
      return `map[string]${goType(real.values)}`;
    case 'list':
      return `[]${goType(real.items)}`;
    case 'object':
      return `v1.${goName(real)}`;
  }
}

const goName = ({ name }: ObjectSchema): string => name.slice(name.lastIndexOf('.') + 1);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An empty object has nothing to complain about. */
const emptyPlace: Place = { kind: '', path: '', unknownFields: [] };

/** What a null stands for inside a list or a map, and what a required field is without a value. */
function emptyOf(schema: Schema): unknown {
  const real = resolve(schema);
  if (real.kind === 'object') return checkObject(real, {}, emptyPlace);
  if (real.kind === 'map') return {};
  if (real.kind === 'list') return [];
  return real.kind === 'boolean'
    ? false
    : real.kind === 'integer' || real.kind === 'number'
      ? 0
      : '';
}

import { setMember } from '../member.ts';
import { quantityError } from '../quantity.ts';
import { resolve, type ObjectSchema, type Schema } from '../schema.ts';
import { exceedsDepth } from './depth.ts';
import { tooManyValues } from '../status.ts';
import { parseJson } from './json.ts';
import { maxValues } from './value-count.ts';
import { createReader, type WireReader } from './wire-reader.ts';

/*
 * Kubernetes' protobuf: `k8s\0`, then runtime.Unknown { 1 typeMeta { 1 apiVersion, 2 kind },
 * 2 raw, 3 contentEncoding, 4 contentType }. `raw` is the object, driven by the field numbers of
 * its schema. gogo-proto writes empty strings and empty messages for what is not set; those are
 * left out, so that the value is what a JSON client would have sent.
 */
const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Buffer;
}

/** @throws SyntaxError when it is no Kubernetes protobuf */
export function openEnvelope(body: Buffer): Envelope {
  fieldsLeft = maxValues;
  if (!body.subarray(0, 4).equals(magic)) {
    throw new SyntaxError(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    );
  }
  let apiVersion = '';
  let kind = '';
  let raw: Buffer = Buffer.alloc(0);
  const reader = createReader(body.subarray(4));
  while (hasNext(reader)) {
    if (reader.number === 1) {
      const type = createReader(reader.bytes());
      while (hasNext(type)) {
        if (type.number === 1) apiVersion = type.bytes().toString();
        else if (type.number === 2) kind = type.bytes().toString();
        else type.skip();
      }
    } else if (reader.number === 2) raw = reader.bytes();
    else reader.skip();
  }
  return { apiVersion, kind, raw };
}

/** How many fields the body that is being decoded may still have. Decoding is synchronous. */
let fieldsLeft = 0;

/**
 * The JSON form of a message. @throws SyntaxError when it is cut short
 * @throws StatusError RequestEntityTooLarge for more fields than `maxValues`
 */
export function decodeMessage(schema: ObjectSchema, bytes: Buffer): Record<string, unknown> {
  fieldsLeft = maxValues;
  return decodeNested(schema, bytes);
}

function decodeNested(schema: ObjectSchema, bytes: Buffer): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  decodeInto(value, fieldNumbers(schema), bytes);
  return value;
}

function decodeInto(value: Record<string, unknown>, byNumber: FieldNumbers, bytes: Buffer): void {
  const reader = createReader(bytes);
  while (hasNext(reader)) {
    const found = byNumber.get(reader.number);
    if (found === undefined) {
      reader.skip();
      continue;
    }
    if (found instanceof Map) {
      decodeInto(value, found, reader.bytes());
      continue;
    }
    const { name, schema: of } = found;
    if (of.kind === 'list') appendTo(value, name, of.items, reader);
    else if (of.kind === 'map') putInto(value, name, of.values, reader);
    else {
      const decoded = decodeValue(of, reader);
      if (!isUnset(of, decoded)) value[name] = decoded;
    }
  }
}

interface NumberedField {
  readonly name: string;
  readonly schema: ReturnType<typeof resolve>;
}
/** By number: a field, or the fields of an embedded message. */
type FieldNumbers = Map<number, NumberedField | Map<number, NumberedField>>;
const numberCache = new WeakMap<ObjectSchema, FieldNumbers>();

function fieldNumbers(schema: ObjectSchema): FieldNumbers {
  let numbers = numberCache.get(schema);
  if (numbers === undefined) {
    numbers = new Map();
    for (const [name, field] of Object.entries(schema.fields)) {
      if (field.number === 0) continue;
      const numbered = { name, schema: resolve(field.schema) };
      if (field.within === undefined) numbers.set(field.number, numbered);
      else embedded(numbers, field.within).set(field.number, numbered);
    }
    numberCache.set(schema, numbers);
  }
  return numbers;
}

function embedded(numbers: FieldNumbers, number: number): Map<number, NumberedField> {
  let fields = numbers.get(number);
  if (!(fields instanceof Map)) numbers.set(number, (fields = new Map<number, NumberedField>()));
  return fields;
}

/**
 * Unset strings and messages are written as empty ones; numbers and booleans are kept. `emptyDir: {}` and
 * the like are set though empty: only metadata and status are written unset.
 */
function isUnset(schema: ReturnType<typeof resolve>, value: unknown): boolean {
  if (value === '' || value === undefined) return true;
  return (
    schema.kind === 'object' &&
    writtenUnset.test(schema.name) &&
    Object.keys(value as object).length === 0
  );
}

const writtenUnset = /\.(ObjectMeta|\w+Status)$/;

function appendTo(
  into: Record<string, unknown>,
  name: string,
  items: Schema,
  reader: WireReader,
): void {
  const list = (into[name] ??= []) as unknown[];
  const real = resolve(items);
  if (reader.wireType === 2 && (real.kind === 'integer' || real.kind === 'boolean')) {
    const packed = createReader(reader.bytes());
    while (!packed.atEnd()) {
      countField();
      list.push(packed.varint());
    }
  } else list.push(decodeValue(real, reader));
}

function putInto(
  into: Record<string, unknown>,
  name: string,
  values: Schema,
  reader: WireReader,
): void {
  const map = (into[name] ??= {}) as Record<string, unknown>;
  const real = resolve(values);
  let key = '';
  let value: unknown = real.kind === 'object' ? {} : '';
  const entry = createReader(reader.bytes());
  while (hasNext(entry)) {
    if (entry.number === 1) key = entry.bytes().toString();
    else if (entry.number === 2) value = decodeValue(real, entry);
    else entry.skip();
  }
  setMember(map, key, value);
}

function decodeValue(schema: ReturnType<typeof resolve>, reader: WireReader): unknown {
  switch (schema.kind) {
    case 'string':
      return schema.format === undefined
        ? reader.bytes().toString()
        : decodeTime(reader.bytes(), schema.format);
    case 'boolean':
      return reader.varint() !== 0;
    case 'integer':
      return reader.varint();
    case 'number':
      return reader.double();
    case 'bytes':
      return reader.bytes().toString('base64');
    case 'quantity':
      return decodeQuantity(reader.bytes());
    case 'int-or-string':
      return decodeIntOrString(reader.bytes());
    case 'raw':
      return decodeRaw(firstString(reader.bytes(), 1));
    case 'object':
      return decodeNested(schema, reader.bytes());
    case 'list':
    case 'map':
      // Kubernetes has no list of lists; a map of lists is a message of its own: { 1 items }.
      return decodeStrings(reader.bytes());
  }
}

function decodeStrings(bytes: Buffer): string[] {
  const strings: string[] = [];
  const reader = createReader(bytes);
  while (hasNext(reader)) strings.push(reader.bytes().toString());
  return strings;
}

function decodeQuantity(bytes: Buffer): string {
  const text = firstString(bytes, 1);
  const error = text === '' ? undefined : quantityError(text);
  if (error !== undefined) throw new SyntaxError(error);
  return text;
}

/** As JSON bodies have it. */
const maxRawDepth = 1000;

function decodeRaw(json: string): unknown {
  if (json === '') return undefined;
  const value = parseJson(Buffer.from(json), json);
  if (exceedsDepth(value, maxRawDepth)) throw new SyntaxError('exceeded max depth');
  return value;
}

/** The last second of the year 9999: later times have no RFC 3339 form. */
const maxSeconds = 253_402_300_799;
/** The first second of the year 0. */
const minSeconds = -62_167_219_200;

function decodeTime(bytes: Buffer, format: 'date-time' | 'micro-time'): string {
  let seconds = 0;
  let nanos = 0;
  const reader = createReader(bytes);
  while (hasNext(reader)) {
    if (reader.number === 1) seconds = reader.varint();
    else if (reader.number === 2) nanos = reader.varint();
    else reader.skip();
  }
  if (seconds === 0 && nanos === 0) return '';
  if (seconds < minSeconds || seconds > maxSeconds)
    throw new SyntaxError('Time.MarshalJSON: year outside of range [0,9999]');
  if (nanos < 0 || nanos >= 1e9) throw new SyntaxError(`invalid nanoseconds of a time: ${nanos}`);
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (format === 'date-time') return `${text}Z`;
  return `${text}.${String(Math.trunc(nanos / 1000)).padStart(6, '0')}Z`;
}

function decodeIntOrString(bytes: Buffer): string | number {
  let type = 0;
  let int = 0;
  let text = '';
  const reader = createReader(bytes);
  while (hasNext(reader)) {
    if (reader.number === 1) type = reader.varint();
    else if (reader.number === 2) int = reader.varint();
    else text = reader.bytes().toString();
  }
  return type === 0 ? int : text;
}

function firstString(bytes: Buffer, wanted: number): string {
  const reader = createReader(bytes);
  while (hasNext(reader)) {
    if (reader.number === wanted) return reader.bytes().toString();
    reader.skip();
  }
  return '';
}

/** Goes to the reader's next field, which counts towards the body's limit. */
function hasNext(reader: WireReader): boolean {
  if (!reader.next()) return false;
  countField();
  return true;
}

function countField(): void {
  fieldsLeft -= 1;
  if (fieldsLeft < 0) throw tooManyValues(maxValues);
}

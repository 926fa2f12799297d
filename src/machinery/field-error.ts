import { goQuote } from './go-quote.ts';

/** What is wrong with one field, worded as Kubernetes' apimachinery (util/validation/field) words it. */
export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueDuplicate'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

export interface FieldError {
  /** The `reason` of a Status cause. */
  readonly type: FieldErrorType;
  /** Path of the field, such as `spec.containers[0].name` or `data[a/b]`. */
  readonly field: string;
  /** The whole text after the path, such as `Invalid value: "x": must be …`. Never holds a secret's value. */
  readonly message: string;
}

/** A path into an object: `path('spec').child('containers').index(0)`. Immutable. */
export interface FieldPath {
  child(name: string, ...more: string[]): FieldPath;
  index(i: number): FieldPath;
  key(key: string): FieldPath;
  toString(): string;
}

export function path(text: string): FieldPath {
  return {
    child: (name, ...more) => path([...(text === '' ? [] : [text]), name, ...more].join('.')),
    index: i => path(`${text}[${i}]`),
    key: key => path(`${text}[${key}]`),
    toString: () => text,
  };
}

const error = (type: FieldErrorType, at: FieldPath, message: string): FieldError => ({
  type,
  field: at.toString(),
  message,
});

/** A value as Go's %q or %v or its JSON would show it in a field error. */
function show(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? goQuote(value) : JSON.stringify(value);
}

const withDetail = (text: string, detail: string): string =>
  detail === '' ? text : `${text}: ${detail}`;

export const requiredField = (at: FieldPath, detail = ''): FieldError =>
  error('FieldValueRequired', at, withDetail('Required value', detail));

export const invalid = (at: FieldPath, value: unknown, detail: string): FieldError =>
  error('FieldValueInvalid', at, withDetail(`Invalid value: ${show(value)}`, detail));

/** As `invalid`, for a value that Kubernetes shows in Go's own syntax. @param shown such as `[]string{"a"}` */
export const invalidShown = (at: FieldPath, shown: string, detail: string): FieldError =>
  error('FieldValueInvalid', at, withDetail(`Invalid value: ${shown}`, detail));

export const notSupported = (
  at: FieldPath,
  value: unknown,
  supported: readonly string[],
): FieldError =>
  error(
    'FieldValueNotSupported',
    at,
    withDetail(
      `Unsupported value: ${show(value)}`,
      supported.length === 0 ? '' : `supported values: ${supported.map(goQuote).join(', ')}`,
    ),
  );

export const forbidden = (at: FieldPath, detail: string): FieldError =>
  error('FieldValueForbidden', at, withDetail('Forbidden', detail));

export const duplicate = (at: FieldPath, value: unknown): FieldError =>
  error('FieldValueDuplicate', at, `Duplicate value: ${show(value)}`);

export const notFoundField = (at: FieldPath, value: unknown): FieldError =>
  error('FieldValueNotFound', at, `Not found: ${show(value)}`);

export const tooLong = (at: FieldPath, maxBytes: number): FieldError =>
  error('FieldValueTooLong', at, `Too long: must have at most ${maxBytes} bytes`);

export const tooMany = (at: FieldPath, actual: number, max: number): FieldError =>
  error(
    'FieldValueTooMany',
    at,
    `Too many: ${actual}: must have at most ${max} item${max === 1 ? '' : 's'}`,
  );

export const typeInvalid = (at: FieldPath, value: unknown, detail: string): FieldError =>
  error('FieldValueTypeInvalid', at, withDetail(`Invalid value: ${show(value)}`, detail));

import { goQuote } from './go-quote.ts';
import { shorten } from './shorten.ts';

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

export const path = (text: string): FieldPath => new Path(undefined, text);

/** Made for every element that is validated, and written out only where something is wrong. */
class Path implements FieldPath {
  readonly #parent: Path | undefined;
  readonly #step: string;

  constructor(parent: Path | undefined, step: string) {
    this.#parent = parent;
    this.#step = step;
  }

  child(name: string, ...more: string[]): FieldPath {
    const names = more.length === 0 ? name : [name, ...more].join('.');
    const isEmpty = this.#parent === undefined && this.#step === '';
    return new Path(this, isEmpty ? names : `.${names}`);
  }

  index(i: number): FieldPath {
    return new Path(this, `[${i}]`);
  }

  key(key: string): FieldPath {
    return new Path(this, `[${shorten(key)}]`);
  }

  toString(): string {
    return this.#parent === undefined ? this.#step : `${this.#parent.toString()}${this.#step}`;
  }
}

/** Lists are validated until so many errors were found. Nobody reads more. */
const maxErrorsOfList = 1000;

/** What is wrong with the elements of a list of any length. */
export function validateEach<T>(
  items: readonly T[],
  validate: (item: T, i: number) => readonly FieldError[],
): FieldError[] {
  const errors: FieldError[] = [];
  for (let i = 0; i < items.length && errors.length < maxErrorsOfList; i += 1) {
    for (const each of validate(items[i] as T, i)) errors.push(each);
  }
  return errors;
}

const maxShownErrors = 100;

/** The errors that an answer shows, and in words how many it does not. */
export function shownErrors(errors: readonly FieldError[]): {
  readonly shown: readonly FieldError[];
  readonly more: string | undefined;
} {
  const rest = errors.length - maxShownErrors;
  if (rest <= 0) return { shown: errors, more: undefined };
  const count = errors.length < maxErrorsOfList ? String(rest) : `at least ${rest}`;
  return { shown: errors.slice(0, maxShownErrors), more: `and ${count} more` };
}

const maxMessage = 1024;

const error = (type: FieldErrorType, at: FieldPath, message: string): FieldError => ({
  type,
  field: at.toString(),
  message: shorten(message, maxMessage),
});

/** A value as Go's %q or %v or its JSON would show it in a field error. */
function show(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? goQuote(shorten(value)) : jsonStart(value);
}

/** The JSON of a value as far as a message shows it: that of a long list would be made for each error in it. */
function jsonStart(value: unknown): string {
  if (!Array.isArray(value)) return shorten(JSON.stringify(value));
  let text = '[';
  for (const [i, each] of value.entries()) {
    text += `${i === 0 ? '' : ','}${jsonStart(each)}`;
    if (text.length > maxMessage) break;
  }
  return shorten(`${text}]`);
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

import {
  forbidden,
  invalid,
  notSupported,
  path,
  tooLong,
  type FieldError,
} from '../../machinery/field-error.ts';
import { invalidOptions } from './query-options.ts';
import type { Query } from '../http/query.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** What a query says of how to write: CreateOptions, UpdateOptions, PatchOptions. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
}

const maxManagerBytes = 128;

/** @throws StatusError Invalid, naming the kind of the options */
export function writeOptionsOf(
  query: Query,
  kind: 'CreateOptions' | 'PatchOptions' | 'UpdateOptions',
): WriteOptions {
  const dryRun = query.getAll('dryRun');
  const validation = query.get('fieldValidation') ?? '';
  const errors = [
    ...validateManager(query.get('fieldManager') ?? ''),
    ...validateDryRun(dryRun),
    ...(isFieldValidation(validation)
      ? []
      : [notSupported(path('fieldValidation'), validation, ['', 'Ignore', 'Strict', 'Warn'])]),
    ...(kind === 'PatchOptions' && query.has('force')
      ? [forbidden(path('force'), 'may not be specified for non-apply patch')]
      : []),
  ];
  if (errors.length > 0) throw invalidOptions(kind, errors);
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: (validation || 'Warn') as FieldValidation,
  };
}

const isFieldValidation = (value: string): boolean =>
  ['', 'Ignore', 'Strict', 'Warn'].includes(value);

export const validateDryRun = (values: readonly string[]): FieldError[] =>
  values.every(value => value === 'All') ? [] : [notSupported(path('dryRun'), values, ['All'])];

function validateManager(manager: string): FieldError[] {
  const at = path('fieldManager');
  if (Buffer.byteLength(manager) > maxManagerBytes) return [tooLong(at, maxManagerBytes)];
  return /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(manager)
    ? [invalid(at, manager, 'should only contain printable characters')]
    : [];
}

import {
  invalid,
  tooLong,
  validateEach,
  type FieldError,
  type FieldPath,
} from '../../../machinery/field-error.ts';
import { configMapKey } from '../../../machinery/validation/names.ts';

/** Sum of the decoded values of a Secret or ConfigMap, in bytes. */
export const maxDataBytes = 1024 * 1024;

/** Length of what base64 holds, without decoding it. */
export const decodedBytes = (base64: string): number =>
  (base64.length / 4) * 3 - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0);

export const validateKeys = (data: Record<string, string>, at: FieldPath): FieldError[] =>
  validateEach(
    Object.keys(data)
      .filter(key => configMapKey(key).length > 0)
      .toSorted(),
    key => configMapKey(key).map(text => invalid(at.key(key), key, text)),
  );

export const validateSize = (bytes: number, at: FieldPath): FieldError[] =>
  bytes > maxDataBytes ? [tooLong(at, maxDataBytes)] : [];

import { checkStructure, StructureError } from '../../machinery/decode/structure.ts';
import { invalid, path } from '../../machinery/field-error.ts';
import { applyJsonPatch } from '../../machinery/patch/json-patch.ts';
import { applyMergePatch, isRecord } from '../../machinery/patch/merge-patch.ts';
import { PatchError } from '../../machinery/patch/patch-error.ts';
import { applyStrategicMerge } from '../../machinery/patch/strategic-merge.ts';
import { failure, invalidObject, type StatusError } from '../../machinery/status.ts';
import type { DecodedBody, ExpectedKind } from '../negotiation/decode.ts';
import { noConversion } from '../negotiation/decode-errors.ts';
import { jsonPatch, mergePatch, parsePatch, type PatchBody } from './patch-body.ts';
import type { FieldValidation } from './write-options.ts';

/** A patch of one object. Plain data but for the schema: it may be applied in another thread. */
export interface Patch {
  readonly type: string;
  readonly body: Buffer;
  readonly fieldValidation: FieldValidation;
}

/** What a patch makes of an object, structurally sound. @throws StatusError */
export function applyPatch(
  current: Record<string, unknown>,
  { type, body, fieldValidation }: Patch,
  expected: ExpectedKind,
): DecodedBody {
  const parsed = parsePatch(body, type, fieldValidation);
  return structured(expected, patched(expected, current, parsed), {
    complaints: parsed.complaints,
    fieldValidation,
  });
}

function patched(
  { apiVersion, kind, schema }: ExpectedKind,
  current: Record<string, unknown>,
  { type, value }: PatchBody,
): Record<string, unknown> {
  try {
    if (type === jsonPatch) return ofType(applyJsonPatch(current, value), { apiVersion, kind });
    if (type === mergePatch) return ofType(applyMergePatch(current, value), { apiVersion, kind });
    const merged = applyStrategicMerge(schema, current, value as Record<string, unknown>);
    // A strategic merge works on the typed object, whose kind is no field.
    return { ...merged, apiVersion, kind };
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw failure(
      422,
      'Invalid',
      `the server rejected our request due to an error in our request: ${error.message}`,
    );
  }
}

/** What a patch made must still say that it is of its kind. */
function ofType(
  value: unknown,
  expected: { apiVersion: string; kind: string },
): Record<string, unknown> {
  if (!isRecord(value)) throw invalidPatch(`Object 'Kind' is missing in '<patch>'`);
  const { kind, apiVersion } = value;
  if (typeof kind !== 'string' || kind === '') {
    throw invalidPatch(`Object 'Kind' is missing in '<patch>'`);
  }
  if (typeof apiVersion !== 'string' || apiVersion === '') {
    throw invalidPatch(`Object 'apiVersion' is missing in '<patch>'`);
  }
  if (kind !== expected.kind || apiVersion !== expected.apiVersion) {
    throw invalidPatch(noConversion({ kind, apiVersion }, expected));
  }
  return value;
}

/** Kubernetes shows the whole patched object as the value: here it may be a secret. */
const invalidPatch = (words: string): StatusError =>
  invalidObject({ group: '', kind: '' }, '', [invalid(path('patch'), '<patch>', words)]);

interface StrictnessOptions {
  readonly complaints: readonly string[];
  readonly fieldValidation: FieldValidation;
}

/** What a patch made must still be an object of its kind. */
function structured(
  { schema }: ExpectedKind,
  value: Record<string, unknown>,
  { complaints, fieldValidation }: StrictnessOptions,
): DecodedBody {
  try {
    const { value: checked, unknownFields } = checkStructure(schema, value);
    const all = [
      ...complaints,
      ...unknownFields.map(field => `unknown field ${JSON.stringify(field)}`),
    ];
    if (all.length > 0 && fieldValidation === 'Strict') {
      throw invalidPatch(`strict decoding error: ${all.join(', ')}`);
    }
    return { value: checked, warnings: fieldValidation === 'Warn' ? all : [] };
  } catch (error) {
    if (!(error instanceof StructureError)) throw error;
    throw invalidPatch(error.message);
  }
}

import { exceedsDepth } from '../../machinery/decode/depth.ts';
import { duplicateFields } from '../../machinery/decode/duplicate-fields.ts';
import { parseJson } from '../../machinery/decode/json.ts';
import { jsonType } from '../../machinery/decode/structure.ts';
import { memberOf } from '../../machinery/member.ts';
import { isRecord } from '../../machinery/patch/merge-patch.ts';
import { badRequest, failure, unsupportedMediaType } from '../../machinery/status.ts';
import type { FieldValidation } from './write-options.ts';

export const jsonPatch = 'application/json-patch+json';
export const mergePatch = 'application/merge-patch+json';
export const strategicMergePatch = 'application/strategic-merge-patch+json';
const applyPatch = 'application/apply-patch+yaml';
const supported = [jsonPatch, mergePatch, strategicMergePatch];

/** A patch as it was sent. */
export interface PatchBody {
  readonly type: string;
  /** A list of operations, or an object. */
  readonly value: unknown;
  /** What strict decoding finds wrong with the patch itself. */
  readonly complaints: readonly string[];
}

/** @throws StatusError UnsupportedMediaType */
export function patchTypeOf(contentType: string | undefined): string {
  const type = (contentType ?? '').split(';')[0]?.trim() ?? '';
  if (type === applyPatch) {
    throw failure(
      415,
      'UnsupportedMediaType',
      'server-side apply is not supported yet: use kubectl apply without --server-side',
    );
  }
  if (!supported.includes(type)) throw unsupportedMediaType(supported);
  return type;
}

/** Deeper than any object; what merges follows by recursion. */
const maxDepth = 1000;
const maxOperations = 10_000;

/** @throws StatusError BadRequest, RequestEntityTooLarge */
export function parsePatch(body: Buffer, type: string, validation: FieldValidation): PatchBody {
  const prefix = type === strategicMergePatch ? '' : 'error decoding patch: ';
  const text = body.toString();
  let value: unknown;
  try {
    value = parseJson(body, text);
  } catch (error) {
    throw error instanceof SyntaxError ? badRequest(`${prefix}${error.message}`) : error;
  }
  if (exceedsDepth(value, maxDepth)) throw badRequest(`${prefix}exceeded max depth`);
  const duplicates =
    validation === 'Ignore'
      ? []
      : duplicateFields(text, value).map(field => `duplicate field ${JSON.stringify(field)}`);
  if (type === jsonPatch) {
    return {
      type,
      value: operations(value, prefix),
      complaints: duplicates.map(each => `json patch ${each}`),
    };
  }
  if (value === null && type === mergePatch) throw badRequest('Invalid JSON Patch');
  if (value !== null && !isRecord(value)) {
    throw badRequest(
      `${prefix}json: cannot unmarshal ${jsonType(value)} into Go value of type map[string]interface {}`,
    );
  }
  return { type, value: value ?? {}, complaints: duplicates };
}

function operations(value: unknown, prefix: string): unknown[] {
  const unfit = (found: unknown, goType: string) =>
    badRequest(
      `${prefix}json: cannot unmarshal ${jsonType(found)} into Go value of type ${goType}`,
    );
  if (value === null) return [];
  if (!Array.isArray(value)) throw unfit(value, '[]handlers.jsonPatchOp');
  for (const each of value) {
    if (!isRecord(each)) throw unfit(each, 'handlers.jsonPatchOp');
    for (const name of ['op', 'path', 'from']) {
      const text = memberOf(each, name) ?? '';
      if (typeof text !== 'string') {
        throw badRequest(
          `${prefix}json: cannot unmarshal ${jsonType(text)} into Go struct field jsonPatchOp.${name} of type string`,
        );
      }
    }
  }
  if (value.length > maxOperations) {
    throw failure(
      413,
      'RequestEntityTooLarge',
      `Request entity too large: The allowed maximum operations in a JSON patch is ${maxOperations}, got ${value.length}`,
    );
  }
  return value;
}

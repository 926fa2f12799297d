import { checkStructure, StructureError } from '../../machinery/decode/structure.ts';
import { invalid, path } from '../../machinery/field-error.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { applyJsonPatch } from '../../machinery/patch/json-patch.ts';
import { applyMergePatch, isRecord } from '../../machinery/patch/merge-patch.ts';
import { PatchError } from '../../machinery/patch/patch-error.ts';
import { applyStrategicMerge } from '../../machinery/patch/strategic-merge.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import { failure, invalidObject, type StatusError } from '../../machinery/status.ts';
import type { RequestContext } from '../http/context.ts';
import { noConversion } from '../negotiation/decode-errors.ts';
import { respondObject } from '../negotiation/encode.ts';
import type { VerbServices } from '../resource-entry.ts';
import { jsonPatch, mergePatch, parsePatch, patchTypeOf, type PatchBody } from './patch-body.ts';
import { replaceObject } from './replace-object.ts';
import { strategyOf } from './update.ts';
import { writeOptionsOf, type FieldValidation } from './write-options.ts';
import { checkName, placeObject } from './write-rules.ts';

export async function patch(context: RequestContext, services: VerbServices): Promise<void> {
  const { descriptor } = services.entry;
  const { operation, query } = context;
  const { dryRun, fieldValidation } = writeOptionsOf(query, 'PatchOptions');
  const type = patchTypeOf(context.headers['content-type']);
  const body = parsePatch(context.body, type, fieldValidation);
  const stored = await replaceObject(context, services, {
    strategy: strategyOf(descriptor, operation.subresource),
    dryRun,
    next(current) {
      const patched = structured(descriptor, apply(descriptor, current, body), {
        complaints: body.complaints,
        fieldValidation,
        warnings: context.warnings,
      });
      placeObject(patched, descriptor, context);
      checkName(patched, operation.name);
      return patched;
    },
  });
  await respondObject(context, descriptor, 200, stored);
}

function apply(
  descriptor: ResourceDescriptor,
  current: KubeObject,
  { type, value }: PatchBody,
): Record<string, unknown> {
  const { kind } = descriptor;
  const apiVersion = apiVersionOf(descriptor);
  try {
    if (type === jsonPatch) return ofType(applyJsonPatch(current, value), { apiVersion, kind });
    if (type === mergePatch) return ofType(applyMergePatch(current, value), { apiVersion, kind });
    const target = current as unknown as Record<string, unknown>;
    const merged = applyStrategicMerge(descriptor.schema, target, value as Record<string, unknown>);
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
  readonly warnings: string[];
}

/** What a patch made must still be an object of its kind. */
function structured(
  descriptor: ResourceDescriptor,
  value: Record<string, unknown>,
  { complaints, fieldValidation, warnings }: StrictnessOptions,
): KubeObject {
  try {
    const { value: checked, unknownFields } = checkStructure(descriptor.schema, value);
    const all = [
      ...complaints,
      ...unknownFields.map(field => `unknown field ${JSON.stringify(field)}`),
    ];
    if (all.length > 0 && fieldValidation === 'Strict') {
      throw invalidPatch(`strict decoding error: ${all.join(', ')}`);
    }
    if (fieldValidation === 'Warn') warnings.push(...all.filter(each => !warnings.includes(each)));
    return checked as unknown as KubeObject;
  } catch (error) {
    if (!(error instanceof StructureError)) throw error;
    throw invalidPatch(error.message);
  }
}

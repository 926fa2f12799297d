import { checkStructure, StructureError } from '../../machinery/decode/structure.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { applyJsonPatch, PatchError } from '../../machinery/patch/json-patch.ts';
import { applyMergePatch } from '../../machinery/patch/merge-patch.ts';
import { applyStrategicMerge } from '../../machinery/patch/strategic-merge.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import {
  badRequest,
  failure,
  invalidObject,
  unsupportedMediaType,
} from '../../machinery/status.ts';
import { invalid, path } from '../../machinery/field-error.ts';
import { readBody, type RequestContext } from '../http/context.ts';
import { respondObject } from '../negotiation/encode.ts';
import type { VerbServices } from '../resource-entry.ts';
import { fieldValidationOf, isDryRun } from './query-options.ts';
import { replaceObject } from './replace-object.ts';
import { strategyOf } from './update.ts';

const jsonPatch = 'application/json-patch+json';
const mergePatch = 'application/merge-patch+json';
const strategicMergePatch = 'application/strategic-merge-patch+json';
const applyPatch = 'application/apply-patch+yaml';

export async function patch(context: RequestContext, services: VerbServices): Promise<void> {
  const { descriptor } = services.entry;
  const { info, query } = context;
  const dryRun = isDryRun(query);
  const validation = fieldValidationOf(query);
  const type = (context.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  if (type === applyPatch) {
    throw failure(
      415,
      'UnsupportedMediaType',
      'server-side apply is not supported yet: use kubectl apply without --server-side',
    );
  }
  if (![jsonPatch, mergePatch, strategicMergePatch].includes(type)) {
    throw unsupportedMediaType([jsonPatch, mergePatch, strategicMergePatch]);
  }
  const body = parse(await readBody(context.request));
  const stored = await replaceObject(context, services, {
    strategy: strategyOf(descriptor, info.subresource),
    dryRun,
    next(current) {
      const patched = structured(
        descriptor,
        apply(type, descriptor, current, body),
        validation,
        context.warnings,
      );
      if (patched.metadata.name !== current.metadata.name) {
        throw badRequest(
          `the name of the object (${patched.metadata.name ?? ''}) does not match the name on the URL (${info.name})`,
        );
      }
      return patched;
    },
  });
  await respondObject(context, descriptor, 200, stored);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    // V8's message quotes the text, which may be a secret's.
    throw badRequest('error decoding patch: invalid JSON');
  }
}

function apply(
  type: string,
  descriptor: ResourceDescriptor,
  current: KubeObject,
  body: unknown,
): unknown {
  try {
    if (type === jsonPatch) return applyJsonPatch(current, body);
    if (type === mergePatch) return applyMergePatch(current, body);
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw badRequest('json: cannot unmarshal into Go value of type map[string]interface {}');
    }
    return applyStrategicMerge(
      descriptor.schema,
      current as unknown as Record<string, unknown>,
      body as Record<string, unknown>,
    );
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw failure(
      422,
      'Invalid',
      `the server rejected our request due to an error in our request: ${error.message}`,
    );
  }
}

/** What a patch made must still be an object of its kind. */
function structured(
  descriptor: ResourceDescriptor,
  value: unknown,
  validation: 'Ignore' | 'Warn' | 'Strict',
  warnings: string[],
): KubeObject {
  try {
    const { value: checked, unknownFields } = checkStructure(descriptor.schema, value);
    const complaints = unknownFields.map(field => `unknown field ${JSON.stringify(field)}`);
    if (complaints.length > 0 && validation === 'Strict') {
      throw badRequest(`strict decoding error: ${complaints.join(', ')}`);
    }
    if (validation === 'Warn')
      warnings.push(...complaints.filter(each => !warnings.includes(each)));
    return checked as unknown as KubeObject;
  } catch (error) {
    if (!(error instanceof StructureError)) throw error;
    throw invalidObject(descriptor, '', [invalid(path('patch'), '<patch>', error.message)]);
  }
}

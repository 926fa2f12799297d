import { apiVersionOf } from '../../machinery/resource.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import type { RequestContext, VerbServices } from '../operation/operation.ts';
import { respondObject } from '../negotiation/encode.ts';
import { isLargeObject } from '../negotiation/large-work.ts';
import { namedKind } from '../negotiation/body-task.ts';
import { bodyThread } from '../negotiation/body-thread.ts';
import { parseOwnJson } from '../../machinery/decode/own-json.ts';
import { applyPatch } from './apply-patch.ts';
import { patchTypeOf } from './patch-body.ts';
import { replaceObject } from './replace-object.ts';
import { strategyOf } from './update.ts';
import { writeOptionsOf } from './write-options.ts';
import { addWarnings, checkName, placeObject } from './write-rules.ts';

export async function patch(context: RequestContext, services: VerbServices): Promise<void> {
  const { descriptor } = services.entry;
  const { operation, query, client, body } = context;
  const { dryRun, fieldValidation } = writeOptionsOf(query, 'PatchOptions');
  const type = patchTypeOf(context.headers['content-type']);
  const { kind, schema } = descriptor;
  const expected = { apiVersion: apiVersionOf(descriptor), kind, schema };
  const isLarge = isLargeObject(body);
  const stored = await replaceObject(context, services, {
    strategy: strategyOf(descriptor, operation.subresource),
    dryRun,
    isLarge,
    async next({ json }) {
      const wanted = { type, body, fieldValidation };
      const { value, warnings } =
        bodyThread !== undefined && (isLarge || isLargeObject(json))
          ? await bodyThread.run(
              { name: 'patch', current: json, patch: wanted, expected: namedKind(expected) },
              client,
            )
          : applyPatch(parseOwnJson(json.toString()) as Record<string, unknown>, wanted, expected);
      const patched = value as unknown as KubeObject;
      addWarnings(context, warnings);
      placeObject(patched, descriptor, context);
      checkName(patched, operation.name);
      return patched;
    },
  });
  await respondObject(context, descriptor, 200, stored);
}

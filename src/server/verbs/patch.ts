import type { KubeObject } from '../../machinery/meta.ts';
import type { VerbHandler } from '../operation/operation.ts';
import { isLargeObject } from '../negotiation/large-work.ts';
import { isKnownToThread, namedKind } from '../negotiation/body-task.ts';
import { bodyThread } from '../negotiation/body-thread.ts';
import { parseOwnJson } from '../../machinery/decode/own-json.ts';
import { applyPatch } from './apply-patch.ts';
import { kindOf } from './decoded-body.ts';
import { patchTypeOf } from './patch-body.ts';
import { replaceObject } from './replace-object.ts';
import { strategyOf } from './update.ts';
import { writeOptionsOf } from './write-options.ts';
import { addWarnings, checkName, placeObject } from './write-rules.ts';

export const patch: VerbHandler = async (context, services) => {
  const { descriptor } = services.entry;
  const { operation, query, client, body } = context;
  // First: options of a patch type that is not supported are no fault of their own.
  const type = patchTypeOf(context.headers['content-type']);
  const { dryRun, fieldValidation } = writeOptionsOf(query, 'PatchOptions');
  const expected = kindOf(descriptor);
  const isLarge = isLargeObject(body);
  const stored = await replaceObject(context, services, {
    strategy: strategyOf(descriptor, operation.subresource),
    dryRun,
    isLarge,
    async next({ json }) {
      const wanted = { type, body, fieldValidation };
      const { value, warnings } =
        bodyThread !== undefined && isKnownToThread(expected) && (isLarge || isLargeObject(json))
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
  return { type: 'object', code: 200, object: stored };
};

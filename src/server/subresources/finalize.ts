import { NamespaceSchema, type Namespace } from '../../api/core/v1/namespace.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { respondObject } from '../negotiation/encode.ts';
import { unkept } from '../registry/unkept.ts';
import { writeOptionsOf } from '../verbs/write-options.ts';
import type { SubresourceHandler } from './handlers.ts';

/** Sets a namespace's spec.finalizers; the last one out removes the namespace. */
export const namespaceFinalizeHandler: SubresourceHandler = async (context, { entry }) => {
  const wanted = (await decodeBody(
    context.body,
    { apiVersion: 'v1', kind: 'Namespace', schema: NamespaceSchema },
    { contentType: context.headers['content-type'], fieldValidation: 'Ignore', warnings: [] },
  )) as unknown as Namespace;
  const { name } = context.operation;
  const finalize = (object: KubeObject): KubeObject => {
    const namespace = object as Namespace;
    namespace.spec = { ...namespace.spec, finalizers: wanted.spec?.finalizers ?? [] };
    return namespace;
  };
  if (writeOptionsOf(context.query, 'UpdateOptions').dryRun) {
    const found = structuredClone((await entry.objects.get('', name)).object());
    return respondObject(context, entry.descriptor, 200, unkept(finalize(found)));
  }
  const stored = await entry.objects.update('', name, finalize);
  const { metadata, spec } = stored.object() as Namespace;
  const over =
    metadata.deletionTimestamp !== undefined &&
    (spec?.finalizers ?? []).length === 0 &&
    (metadata.finalizers ?? []).length === 0;
  const answer = over ? await entry.objects.delete('', name, { uid: metadata.uid ?? '' }) : stored;
  await respondObject(context, entry.descriptor, 200, answer);
};

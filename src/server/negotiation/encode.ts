import { writeYaml } from '../../machinery/decode/yaml.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import type { RequestContext } from '../http/context.ts';
import { inReadableForm, respond } from '../http/respond.ts';
import type { ListPage, StoredObject } from '../registry/object-store.ts';
import { negotiate, type Form } from './media-types.ts';
import { partialMetadata, tableOf, type IncludeObject } from './table.ts';
import type { Query } from '../http/query.ts';

export const includeObjectOf = (query: Query): IncludeObject => {
  const asked = query.get('includeObject');
  return asked === 'None' || asked === 'Object' ? asked : 'Metadata';
};

/** One object in the form that the client asked for. Plain JSON goes out as it is kept. */
export async function respondObject(
  context: RequestContext,
  descriptor: ResourceDescriptor,
  code: number,
  object: StoredObject,
): Promise<void> {
  const form = negotiate(context.headers.accept);
  if (form.as === 'object' && form.encoding === 'json') {
    await respond(context, code, inReadableForm(context, object.json));
    return;
  }
  const metadata = { resourceVersion: String(object.resourceVersion) };
  const body =
    form.as === 'table'
      ? tableOf(descriptor, [object], {
          metadata,
          includeObject: includeObjectOf(context.query),
          columns: true,
        })
      : form.as === 'metadata'
        ? partialMetadata(object.object())
        : object.object();
  await respondValue(context, code, body, form);
}

/** Any value, as JSON or YAML. */
export async function respondValue(
  context: RequestContext,
  code: number,
  value: object,
  form: Form = negotiate(context.headers.accept),
): Promise<void> {
  if (form.encoding === 'yaml') await respond(context, code, writeYaml(value), 'application/yaml');
  else await respond(context, code, inReadableForm(context, Buffer.from(JSON.stringify(value))));
}

export async function respondList(
  context: RequestContext,
  descriptor: ResourceDescriptor,
  page: ListPage,
): Promise<void> {
  const form = negotiate(context.headers.accept);
  const metadata = {
    resourceVersion: String(page.resourceVersion),
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remainingItemCount === undefined
      ? {}
      : { remainingItemCount: page.remainingItemCount }),
  };
  if (form.as === 'table') {
    const includeObject = includeObjectOf(context.query);
    const table = tableOf(descriptor, page.items, { metadata, includeObject, columns: true });
    await respondValue(context, 200, table, form);
    return;
  }
  if (form.as === 'metadata') {
    const items = page.items.map(item => partialMetadata(item.object()));
    const list = {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata,
      items,
    };
    await respondValue(context, 200, list, form);
    return;
  }
  const head = { kind: `${descriptor.kind}List`, apiVersion: apiVersionOf(descriptor), metadata };
  if (form.encoding === 'yaml') {
    await respondValue(
      context,
      200,
      { ...head, items: page.items.map(item => item.object()) },
      form,
    );
    return;
  }
  await respond(context, 200, inReadableForm(context, joinItems(JSON.stringify(head), page.items)));
}

/** The list's JSON around the items' own bytes. */
function joinItems(head: string, items: readonly StoredObject[]): Buffer {
  const comma = Buffer.from(',');
  const parts: Buffer[] = [Buffer.from(`${head.slice(0, -1)},"items":[`)];
  items.forEach((item, i) => {
    if (i > 0) parts.push(comma);
    parts.push(item.json);
  });
  parts.push(Buffer.from(']}'));
  return Buffer.concat(parts);
}

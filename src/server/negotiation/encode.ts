import { yamlPieces } from '../../machinery/encode-yaml.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import type { RequestContext } from '../operation/operation.ts';
import { inReadableForm, isForPeople, respond, respondPieces } from '../http/respond.ts';
import type { ListPage, StoredObject } from '../registry/object-store.ts';
import { isDamaged } from '../registry/store-errors.ts';
import { negotiate, type Form } from './media-types.ts';
import { partialMetadata, rowOf, tableOf, type IncludeObject } from './table.ts';
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
  if (form.encoding === 'yaml')
    await respondPieces(context, code, yamlPieces(value), 'application/yaml');
  else await respond(context, code, inReadableForm(context, Buffer.from(JSON.stringify(value))));
}

/** A list in the form that the client asked for, made item by item while it is sent. */
export async function respondList(
  context: RequestContext,
  descriptor: ResourceDescriptor,
  page: ListPage,
): Promise<void> {
  const form = negotiate(context.headers.accept);
  const layout = layoutOf(context, descriptor, { page, form });
  if (form.encoding === 'yaml') {
    await respondPieces(context, 200, yamlList(layout, page.items), 'application/yaml');
  } else if (isForPeople(context)) {
    await respondPieces(context, 200, readableList(layout, page.items));
  } else {
    const encode =
      form.as === 'object'
        ? (item: StoredObject) => item.json
        : (item: StoredObject) => JSON.stringify(layout.valueOf(item));
    await respondPieces(context, 200, jsonList(layout, page.items, encode));
  }
}

/** What a list consists of: fields, and behind them one list of values. */
interface ListLayout {
  readonly head: object;
  readonly field: 'items' | 'rows';
  readonly valueOf: (item: StoredObject) => object;
}

function layoutOf(
  { query }: RequestContext,
  descriptor: ResourceDescriptor,
  { page, form }: { readonly page: ListPage; readonly form: Form },
): ListLayout {
  const metadata = {
    resourceVersion: String(page.resourceVersion),
    ...(page.continue === undefined ? {} : { continue: page.continue }),
    ...(page.remainingItemCount === undefined
      ? {}
      : { remainingItemCount: page.remainingItemCount }),
  };
  switch (form.as) {
    case 'table': {
      const includeObject = includeObjectOf(query);
      const { rows: _none, ...head } = tableOf(descriptor, [], {
        metadata,
        includeObject,
        columns: true,
      });
      const now = Date.now();
      return {
        head,
        field: 'rows',
        valueOf: item => rowOf(descriptor, item, { includeObject, now }),
      };
    }
    case 'metadata': {
      const head = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata };
      return { head, field: 'items', valueOf: item => partialMetadata(item.object()) };
    }
    default: {
      const { kind } = descriptor;
      const head = { kind: `${kind}List`, apiVersion: apiVersionOf(descriptor), metadata };
      return { head, field: 'items', valueOf: item => item.object() };
    }
  }
}

type Items = Iterable<StoredObject>;

/** What large lists are made of is read while they are sent: what turns out to be damaged is left out. */
function* encoded<T>(items: Items, encode: (item: StoredObject) => T): Generator<T> {
  for (const item of items) {
    let value: T;
    try {
      value = encode(item);
    } catch (error) {
      if (isDamaged(error)) continue;
      throw error;
    }
    yield value;
  }
}

function* jsonList(
  { head, field }: ListLayout,
  items: Items,
  encode: (item: StoredObject) => Buffer | string,
): Generator<Buffer | string> {
  let before: Buffer | string = `${JSON.stringify(head).slice(0, -1)},"${field}":[`;
  const comma = Buffer.from(',');
  for (const text of encoded(items, encode)) {
    yield before;
    yield text;
    before = comma;
  }
  if (before !== comma) yield before;
  yield ']}';
}

function* readableList({ head, field, valueOf }: ListLayout, items: Items): Generator<string> {
  const opening = `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "${field}": [`;
  let before = opening;
  for (const value of encoded(items, valueOf)) {
    yield before;
    yield `\n    ${JSON.stringify(value, null, 2).replaceAll('\n', '\n    ')}`;
    before = ',';
  }
  yield before === opening ? `${opening}]\n}\n` : '\n  ]\n}\n';
}

function* yamlList({ head, field, valueOf }: ListLayout, items: Items): Generator<string> {
  yield* yamlPieces(head);
  let isEmpty = true;
  for (const value of encoded(items, valueOf)) {
    if (isEmpty) yield `${field}:\n`;
    isEmpty = false;
    yield* yamlPieces([value]);
  }
  if (isEmpty) yield `${field}: []\n`;
}

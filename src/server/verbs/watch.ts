import { maxTimerMs } from '../../machinery/loop.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import type { RequestContext, VerbServices } from '../operation/operation.ts';
import { booleanOf, integerOf, type Query } from '../http/query.ts';
import { toStatusError, writeHead } from '../http/respond.ts';
import { includeObjectOf } from '../negotiation/encode.ts';
import { negotiate, type Form } from '../negotiation/media-types.ts';
import { partialMetadata, tableOf } from '../negotiation/table.ts';
import type { StoredObject } from '../registry/object-store.ts';
import { nextTurn } from '../turns.ts';
import { createLineWriter } from './line-writer.ts';
import { checkVersionMatch, selectionOf } from './query-options.ts';

/** A watcher that does not read is cut off before it fills the memory. */
const maxBufferedBytes = 8 * 1024 * 1024;
/** Longer objects are not copied into a line: they are shared with all who are sent them. */
const maxCopiedBytes = 64 * 1024;

export async function watch(context: RequestContext, { entry }: VerbServices): Promise<void> {
  const { operation, query, response } = context;
  const { descriptor, objects } = entry;
  checkVersionMatch(query, true);
  const form = negotiate(context.headers.accept);
  const encode = encoderOf(descriptor, form, query);
  // A signal that has aborted tells nobody any more.
  if (context.signal.aborted) return;
  const stop = new AbortController();
  context.signal.addEventListener('abort', () => stop.abort(), { once: true });
  const seconds = integerOf(query, 'timeoutSeconds') || 1800 + Math.random() * 1800;
  const timer = setTimeout(() => stop.abort(), Math.min(seconds * 1000, maxTimerMs));
  stop.signal.addEventListener(
    'abort',
    () => {
      clearTimeout(timer);
      writer.end();
    },
    { once: true },
  );

  const begin = (): void => {
    if (response.headersSent) return;
    writeHead(response, 200, {
      'content-type': 'application/json',
      'cache-control': 'no-cache, private',
    });
    (response as { flushHeaders?(): void }).flushHeaders?.();
  };
  const unsent = context.unsent.open(context.client, () => writer.cut());
  response.once('close', () => unsent.close());
  const writer = createLineWriter({
    response,
    // Those who are exempt are bounded all together: what others write must not end the controllers' watches.
    maxBytes: context.client.isExempt ? Infinity : maxBufferedBytes,
    hold: bytes => unsent.hold(bytes),
    onCut: () => stop.abort(),
  });
  const write = (...parts: readonly (Buffer | string)[]): void => {
    begin();
    writer.write(parts);
  };
  const initial = query.get('sendInitialEvents');
  try {
    await objects.watch(
      {
        ...selectionOf(operation),
        resourceVersion: query.get('resourceVersion') ?? '',
        ...(initial === null ? {} : { sendInitialEvents: booleanOf(query, 'sendInitialEvents') }),
        allowBookmarks: booleanOf(query, 'allowWatchBookmarks'),
        client: context.client.key,
      },
      {
        onEvent: (type, object) => write(...encode(type, object)),
        onBookmark: (version, end) => write(bookmarkLine(descriptor, form, version, end)),
        onError(error) {
          write(`${JSON.stringify({ type: 'ERROR', object: toStatusError(error).status })}\n`);
          stop.abort();
        },
        onEnd: () => stop.abort(),
        room: () => writer.room() ?? nextTurn(context.client.key),
      },
      stop.signal,
    );
  } catch (error) {
    clearTimeout(timer);
    // An expired version is told in the stream, as kube-apiserver tells it.
    if (toStatusError(error).code !== 410) throw error;
    write(`${JSON.stringify({ type: 'ERROR', object: toStatusError(error).status })}\n`);
    stop.abort();
  }
  begin();
}

/** The parts of a line. */
type Encoder = (type: string, object: StoredObject) => readonly (Buffer | string)[];
/** The lines of the change that is being told, by their form: encoded once for all who hear of it. */
let newest:
  { readonly object: StoredObject; readonly lines: Map<string, WeakRef<Buffer>> } | undefined;

/** @param form what the line depends on besides the object */
function sharedLine(object: StoredObject, form: string, encode: () => Buffer): readonly [Buffer] {
  if (newest?.object !== object) newest = { object, lines: new Map() };
  let line = newest.lines.get(form)?.deref();
  if (line === undefined) newest.lines.set(form, new WeakRef((line = encode())));
  return [line];
}

function plainLine(type: string, object: StoredObject): readonly (Buffer | string)[] {
  const opening = `{"type":"${type}","object":`;
  if (object.json.length > maxCopiedBytes) return [opening, object.json, '}\n'];
  return sharedLine(object, type, () =>
    Buffer.concat([Buffer.from(opening), object.json, Buffer.from('}\n')]),
  );
}

const jsonLine = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);

function encoderOf(descriptor: ResourceDescriptor, form: Form, query: Query): Encoder {
  if (form.as === 'object') return plainLine;
  if (form.as === 'metadata') {
    return (type, object) =>
      sharedLine(object, `${type} metadata`, () =>
        jsonLine({ type, object: partialMetadata(object.object()) }),
      );
  }
  const includeObject = includeObjectOf(query);
  let columns = true;
  return (type, object) => {
    const line = sharedLine(object, `${type} table ${includeObject} ${columns}`, () => {
      const metadata = { resourceVersion: String(object.resourceVersion) };
      return jsonLine({
        type,
        object: tableOf(descriptor, [object], { metadata, includeObject, columns }),
      });
    });
    columns = false;
    return line;
  };
}

function bookmarkLine(
  descriptor: ResourceDescriptor,
  form: Form,
  version: number,
  end: boolean,
): string {
  const metadata = {
    resourceVersion: String(version),
    creationTimestamp: null,
    ...(end ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  };
  const kind =
    form.as === 'object'
      ? { kind: descriptor.kind, apiVersion: apiVersionOf(descriptor) }
      : {
          kind: form.as === 'table' ? 'Table' : 'PartialObjectMetadata',
          apiVersion: 'meta.k8s.io/v1',
        };
  const table = form.as === 'table' ? { columnDefinitions: null, rows: [] } : {};
  return `${JSON.stringify({ type: 'BOOKMARK', object: { ...kind, metadata, ...table } })}\n`;
}

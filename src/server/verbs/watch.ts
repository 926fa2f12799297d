import { maxTimerMs } from '../../machinery/loop.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import type { VerbHandler } from '../operation/operation.ts';
import { booleanOf, integerOf, type Query } from '../http/query.ts';
import { toStatusError } from '../http/respond.ts';
import { includeObjectOf } from '../negotiation/encode.ts';
import { negotiate, type Form } from '../negotiation/media-types.ts';
import { partialMetadata, tableOf } from '../negotiation/table.ts';
import type { StoredObject, WatchRequest } from '../registry/object-store.ts';
import { checkVersionMatch, selectionOf } from './query-options.ts';

/** Longer objects are not copied into a line: they are shared with all who are sent them. */
const maxCopiedBytes = 64 * 1024;

export const watch: VerbHandler = ({ operation, query, headers, client }, { entry }) => {
  const { descriptor, objects } = entry;
  checkVersionMatch(query, true);
  const form = negotiate(headers.accept);
  const encode = encoderOf(descriptor, form, query);
  const initial = query.get('sendInitialEvents');
  const request: WatchRequest = {
    ...selectionOf(operation),
    resourceVersion: query.get('resourceVersion') ?? '',
    ...(initial === null ? {} : { sendInitialEvents: booleanOf(query, 'sendInitialEvents') }),
    allowBookmarks: booleanOf(query, 'allowWatchBookmarks'),
    client: client.key,
  };
  const seconds = integerOf(query, 'timeoutSeconds') || 1800 + Math.random() * 1800;
  return Promise.resolve({
    type: 'lines',
    async send(lines, closed) {
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), Math.min(seconds * 1000, maxTimerMs));
      closed.addEventListener('abort', () => stop.abort(), { once: true });
      const end = (): void => {
        clearTimeout(timer);
        lines.end();
      };
      stop.signal.addEventListener('abort', end, { once: true });
      const fail = (error: unknown): void => {
        lines.write(`${JSON.stringify({ type: 'ERROR', object: toStatusError(error).status })}\n`);
        stop.abort();
      };
      try {
        await objects.watch(
          request,
          {
            onEvent: (type, object) => lines.write(...encode(type, object)),
            onBookmark: (version, isInitialEnd) =>
              lines.write(bookmarkLine(descriptor, form, version, isInitialEnd)),
            onError: fail,
            onEnd: () => stop.abort(),
            room: () => lines.room(),
          },
          stop.signal,
        );
      } catch (error) {
        clearTimeout(timer);
        // An expired version is reported in the stream, as kube-apiserver does.
        if (toStatusError(error).code !== 410) throw error;
        fail(error);
      }
      lines.begin();
    },
  });
};

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

import type { StoreEvent } from '../../store/store.ts';
import type { StoredObject, WatchRequest, WatchSink } from './object-store.ts';

/** A change, decoded once for all watchers. */
export interface Change {
  readonly revision: number;
  readonly namespace: string;
  readonly name: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** The state after; for DELETED the last one, at the deletion's version. */
  readonly object: StoredObject;
  /** The state before. */
  readonly previous: StoredObject | undefined;
  /** The state before, at the change's version: what DELETED carries. */
  readonly last: StoredObject | undefined;
}

export interface ChangeSource {
  readonly identityOf: (key: string) => { namespace: string; name: string };
  readonly served: (key: string, value: Uint8Array, revision: number) => StoredObject;
}

export function changeOf(event: StoreEvent, { identityOf, served }: ChangeSource): Change {
  const { key, revision } = event;
  const before = (at?: number): StoredObject | undefined =>
    event.previous && served(key, event.previous.value, at ?? event.previous.modRevision);
  let previous: StoredObject | undefined;
  let last: StoredObject | undefined;
  const lastState = (): StoredObject | undefined => (last ??= before(revision));
  const object = event.value === undefined ? lastState() : served(key, event.value, revision);
  if (object === undefined) throw new Error(`Nothing is known of what was deleted at ${revision}`);
  return {
    ...identityOf(key),
    revision,
    type:
      event.type === 'delete'
        ? 'DELETED'
        : event.createRevision === revision
          ? 'ADDED'
          : 'MODIFIED',
    object,
    // Few watchers ask what was before: made when one does.
    get previous() {
      return (previous ??= before());
    },
    get last() {
      return lastState();
    },
  };
}

/** One change to one watcher: what enters its view is ADDED, what leaves it DELETED. */
export function deliver(change: Change, request: WatchRequest, sink: WatchSink): void {
  if (request.namespace !== undefined && request.namespace !== change.namespace) return;
  if (request.name !== undefined && request.name !== change.name) return;
  const { filter } = request;
  if (filter === undefined) {
    sink.onEvent(change.type, change.object);
    return;
  }
  const was = change.previous !== undefined && filter(change.previous.object());
  const is = change.type !== 'DELETED' && filter(change.object.object());
  if (is) sink.onEvent(was ? 'MODIFIED' : 'ADDED', change.object);
  else if (was && change.last !== undefined) sink.onEvent('DELETED', change.last);
}

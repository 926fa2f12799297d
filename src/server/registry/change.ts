import type { KeyValue, StoreEvent } from '../../store/store.ts';
import type { ObjectFilter, StoredObject, WatchRequest, WatchSink } from './object-store.ts';

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
  /** A state that is in memory; its value is not looked at. */
  readonly known: (kv: Pick<KeyValue, 'key' | 'modRevision'>) => StoredObject | undefined;
  /** A state as it is served; undefined when it is damaged. */
  readonly toObject: (
    kv: Pick<KeyValue, 'key' | 'value' | 'modRevision'>,
  ) => StoredObject | undefined;
  /** A state of a key at another version than it was written at. Of a damaged one, its name. */
  readonly asOf: (kv: KeyValue, revision: number) => StoredObject;
}

/** @returns undefined when the state after is damaged */
export function changeOf(event: StoreEvent, source: ChangeSource): Change | undefined {
  const { key, revision } = event;
  // The newer state takes its place in memory.
  let previous = event.previous && source.known(event.previous);
  let last: StoredObject | undefined;
  const lastState = (): StoredObject | undefined =>
    (last ??= event.previous && source.asOf(event.previous, revision));
  const object = event.type === 'delete' ? lastState() : source.toObject(writtenBy(event));
  if (object === undefined) return undefined;
  return {
    ...source.identityOf(key),
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
      return (previous ??=
        event.previous && source.asOf(event.previous, event.previous.modRevision));
    },
    get last() {
      return lastState();
    },
  };
}

/** What a put wrote. Its value is opened when it is looked at. */
const writtenBy = (event: StoreEvent) => ({
  key: event.key,
  modRevision: event.revision,
  get value() {
    return event.value ?? Buffer.alloc(0);
  },
});

/** Whether an object was in view before a change, and is after it. */
interface Verdict {
  readonly was: boolean;
  readonly is: boolean;
}

/** What filters say of a change. */
export type Verdicts = (filter: ObjectFilter) => Verdict;

/** Each filter is asked once, however many watchers share it. */
export function createVerdicts(change: Change): Verdicts {
  const known = new Map<ObjectFilter, Verdict>();
  return filter => {
    let verdict = known.get(filter);
    if (verdict === undefined) {
      verdict = {
        was: change.previous !== undefined && filter(change.previous.object()),
        is: change.type !== 'DELETED' && filter(change.object.object()),
      };
      known.set(filter, verdict);
    }
    return verdict;
  };
}

/** One change to one watcher: what enters its view is ADDED, what leaves it DELETED. */
export function deliver(
  change: Change,
  request: WatchRequest,
  { sink, verdicts }: { readonly sink: WatchSink; readonly verdicts: Verdicts },
): void {
  if (request.namespace !== undefined && request.namespace !== change.namespace) return;
  if (request.name !== undefined && request.name !== change.name) return;
  if (request.filter === undefined) {
    sink.onEvent(change.type, change.object);
    return;
  }
  const { was, is } = verdicts(request.filter);
  if (is) sink.onEvent(was ? 'MODIFIED' : 'ADDED', change.object);
  else if (was && change.last !== undefined) sink.onEvent('DELETED', change.last);
}

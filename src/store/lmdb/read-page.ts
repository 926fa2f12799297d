import type { KeyValue, RangeQuery } from '../store.ts';
import { keyOf, previousRevisionOf } from './record.ts';
import { pointedAt, writtenAt, type Tables } from './tables.ts';

export interface Page {
  readonly items: readonly KeyValue[];
  readonly remaining: number;
}

type PageQuery = Pick<RangeQuery, 'prefix' | 'startAfter' | 'limit'>;

const boundsOf = ({ prefix, startAfter }: Pick<RangeQuery, 'prefix' | 'startAfter'>) => ({
  start: startAfter ?? prefix,
  exclusiveStart: startAfter !== undefined,
  end: `${prefix}\uffff`,
});

/** The keys as they are. */
export function readPage(tables: Tables, query: PageQuery): Page {
  const { current } = tables;
  const limit = query.limit ?? Infinity;
  const items: KeyValue[] = [];
  for (const { key, value } of current.getRange({
    ...boundsOf(query),
    ...(limit === Infinity ? {} : { limit }),
  })) {
    items.push(pointedAt(tables, key, value));
  }
  const last = items.at(-1);
  const full = last !== undefined && items.length >= limit;
  const remaining = full
    ? current.getKeysCount(boundsOf({ prefix: query.prefix, startAfter: last.key }))
    : 0;
  return { items, remaining };
}

/**
 * The keys as they were at `revision`: what was not changed since is read as it is, and between
 * that, in order, what was changed since is put back from the commits.
 */
export function readPastPage(tables: Tables, query: PageQuery, revision: number): Page {
  const { prefix, startAfter = '', limit = Infinity } = query;
  const changed = changedSince(tables, prefix, revision);
  const restorable = [...changed]
    .filter(([key, previous]) => previous > 0 && key > startAfter)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const items: KeyValue[] = [];
  let restored = 0;
  const restoreUntil = (end: string | undefined): void => {
    for (; restored < restorable.length && items.length < limit; restored += 1) {
      const [key, previous] = restorable[restored] ?? ['', 0];
      if (end !== undefined && key > end) return;
      const kv = writtenAt(tables, key, previous);
      if (kv !== undefined) items.push(kv);
    }
  };
  for (const { key, value } of tables.current.getRange(boundsOf(query))) {
    restoreUntil(key);
    if (items.length >= limit) break;
    if (!changed.has(key)) items.push(pointedAt(tables, key, value));
  }
  restoreUntil(undefined);
  const last = items.at(-1)?.key;
  if (last === undefined || items.length < limit) return { items, remaining: 0 };
  const now = tables.current.getKeysCount(boundsOf({ prefix, startAfter: last }));
  const madeOrChanged = [...changed.keys()].filter(
    key => key > last && tables.current.doesExist(key),
  );
  return { items, remaining: now - madeOrChanged.length + (restorable.length - restored) };
}

/** What changed under a prefix after a revision, up to another one. */
interface Changes {
  /** With the revision that each key had then (0: none). */
  readonly keys: Map<string, number>;
  lastRevision: number;
}

/** A client that pages through an old version asks for the same changes again and again. */
const maxRemembered = 4;
const remembered = new WeakMap<Tables, Map<string, Changes>>();

/** The keys under the prefix that changed after `revision`, with the revision each had then (0: none). */
function changedSince(
  tables: Tables,
  prefix: string,
  revision: number,
): ReadonlyMap<string, number> {
  const all = remembered.get(tables) ?? new Map<string, Changes>();
  remembered.set(tables, all);
  const id = `${revision} ${prefix}`;
  const changes = all.get(id) ?? { keys: new Map(), lastRevision: revision };
  for (const { key: at, value } of tables.commits.getRange({ start: changes.lastRevision + 1 })) {
    changes.lastRevision = at;
    const key = keyOf(value);
    if (key.startsWith(prefix) && !changes.keys.has(key))
      changes.keys.set(key, previousRevisionOf(value));
  }
  // The newest is last: the first is the one that was not asked for the longest.
  all.delete(id);
  all.set(id, changes);
  for (const oldest of all.keys()) {
    if (all.size <= maxRemembered) break;
    all.delete(oldest);
  }
  return changes.keys;
}

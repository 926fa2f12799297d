import type { RootDatabase } from 'lmdb';
import { StoreError, type KeyValue } from '../store.ts';
import { decodeRecord, keyOf, previousRevisionOf } from './record.ts';

/*
 * Three tables in one environment:
 *   current  key → createRevision, modRevision, value
 *   history  revision → key, kind, createRevision, previous modRevision, value
 *   meta     'revision' → the newest; 'compacted' → the oldest that can still be read
 * History holds each commit after 'compacted', and whatever one of those superseded.
 */
export type Tables = ReturnType<typeof openTables>;

export function openTables(root: RootDatabase<unknown, string>) {
  const current = root.openDB<Buffer, string>({
    name: 'current',
    encoding: 'binary',
    keyEncoding: 'ordered-binary',
  });
  const history = root.openDB<Buffer, number>({
    name: 'history',
    encoding: 'binary',
    keyEncoding: 'ordered-binary',
  });
  const meta = root.openDB<number, string>({ name: 'meta', encoding: 'ordered-binary' });
  return { current, history, meta };
}

export const newestOf = ({ meta }: Tables): number => meta.get('revision') ?? 1;
export const compactedOf = ({ meta }: Tables): number => meta.get('compacted') ?? 0;

export function currentOf({ current }: Tables, key: string): KeyValue | undefined {
  const encoded = current.get(key);
  return encoded === undefined ? undefined : decodeRecord(encoded);
}

/** One key as it was: the first change after `revision` names the one before it. */
export function pastOf(tables: Tables, key: string, revision: number): KeyValue | undefined {
  const now = currentOf(tables, key);
  if (now !== undefined && now.modRevision <= revision) return now;
  for (const { value } of tables.history.getRange({ start: revision + 1 })) {
    if (keyOf(value) === key) return writtenAt(tables, previousRevisionOf(value));
  }
  return undefined;
}

/** @returns what was written at that revision; 0 stands for nothing */
export function writtenAt({ history }: Tables, revision: number): KeyValue | undefined {
  if (revision === 0) return undefined;
  const encoded = history.get(revision);
  if (encoded === undefined) {
    throw new StoreError('corrupt', `Revision ${revision} is missing from the history`);
  }
  return decodeRecord(encoded);
}

import type { RootDatabase } from 'lmdb';
import { StoreError, type KeyValue } from '../store.ts';
import { decodeRecord, keyOf, previousRevisionOf, type RevisionRecord } from './record.ts';

/*
 * Three tables in one environment:
 *   current   key → its createRevision and modRevision
 *   commits   revision → key, type, createRevision, previous modRevision, value
 *   meta      'revision' → the newest; 'compacted' → the oldest that can still be read; 'format' → 2
 * A value is kept once, where its commit is: that of each current key, each commit after
 * 'compacted', and whatever one of those superseded.
 */
export type Tables = ReturnType<typeof openTables>;

export function openTables(root: RootDatabase<unknown, string>) {
  const current = root.openDB<Buffer, string>({
    name: 'current',
    encoding: 'binary',
    keyEncoding: 'ordered-binary',
  });
  const commits = root.openDB<Buffer, number>({
    name: 'history',
    encoding: 'binary',
    keyEncoding: 'ordered-binary',
  });
  const meta = root.openDB<number, string>({ name: 'meta', encoding: 'ordered-binary' });
  return { current, commits, meta };
}

export const newestOf = ({ meta }: Tables): number => meta.get('revision') ?? 1;
export const compactedOf = ({ meta }: Tables): number => meta.get('compacted') ?? 0;

/** What is kept of a key: when it was made, and which commit holds its value. */
export interface Pointer {
  readonly createRevision: number;
  readonly modRevision: number;
}

export function encodePointer({ createRevision, modRevision }: Pointer): Buffer {
  const bytes = Buffer.allocUnsafe(16);
  bytes.writeDoubleBE(createRevision, 0);
  bytes.writeDoubleBE(modRevision, 8);
  return bytes;
}

export const decodePointer = (bytes: Buffer): Pointer => ({
  createRevision: bytes.readDoubleBE(0),
  modRevision: bytes.readDoubleBE(8),
});

export function currentOf(tables: Tables, key: string): KeyValue | undefined {
  const pointer = tables.current.get(key);
  return pointer && pointedAt(tables, key, pointer);
}

/** A key as it is; its value is read when somebody looks at it. */
export function pointedAt(tables: Tables, key: string, pointer: Buffer): KeyValue {
  const { createRevision, modRevision } = decodePointer(pointer);
  return {
    key,
    createRevision,
    modRevision,
    // Not kept: a page of many keys must not hold what it was looked at for.
    get value() {
      return commitAt(tables, modRevision).value;
    },
  };
}

/** One key as it was: the first change after `revision` names the one before it. */
export function pastOf(tables: Tables, key: string, revision: number): KeyValue | undefined {
  const now = currentOf(tables, key);
  if (now !== undefined && now.modRevision <= revision) return now;
  for (const { value } of tables.commits.getRange({ start: revision + 1 })) {
    if (keyOf(value) === key) return writtenAt(tables, previousRevisionOf(value));
  }
  return undefined;
}

/** @returns what was written at that revision; 0 stands for nothing */
export const writtenAt = (tables: Tables, revision: number): KeyValue | undefined =>
  revision === 0 ? undefined : commitAt(tables, revision);

/** @throws StoreError `corrupt` when there is none */
export function commitAt({ commits }: Tables, revision: number): RevisionRecord {
  const encoded = commits.get(revision);
  if (encoded === undefined)
    throw new StoreError('corrupt', `Revision ${revision} is missing from the store`);
  return decodeRecord(encoded);
}

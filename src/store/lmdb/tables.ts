import type { RootDatabase } from 'lmdb';
import { StoreError, type KeyValue } from '../store.ts';
import { decodeRecord, keyOf, previousRevisionOf, type RevisionRecord } from './record.ts';

/*
 * Three tables in one environment:
 *   current   key → its createRevision and modRevision
 *   commits   revision → key, type, createRevision, previous modRevision, value
 *   meta      'revision' → the newest; 'compacted' → the oldest that can still be read; 'format' → 2;
 *             'identity' → random, as the store's record has it
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
  const meta = root.openDB<number | string, string>({ name: 'meta', encoding: 'ordered-binary' });
  return { current, commits, meta };
}

const numberIn = ({ meta }: Tables, name: string): number | undefined => {
  const value = meta.get(name);
  return typeof value === 'number' ? value : undefined;
};

export const newestOf = (tables: Tables): number => numberIn(tables, 'revision') ?? 1;
export const compactedOf = (tables: Tables): number => numberIn(tables, 'compacted') ?? 0;
export const formatOf = (tables: Tables): number | undefined => numberIn(tables, 'format');
export const identityOf = ({ meta }: Tables): string | undefined =>
  meta.get('identity')?.toString();

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
  return new PointedKeyValue(tables, key, decodePointer(pointer));
}

// A class: a list makes one for each key, and a literal with a getter costs ten times as much.
class PointedKeyValue implements KeyValue {
  readonly key: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly #tables: Tables;

  constructor(tables: Tables, key: string, { createRevision, modRevision }: Pointer) {
    this.#tables = tables;
    this.key = key;
    this.createRevision = createRevision;
    this.modRevision = modRevision;
  }

  /** Not kept: a page of many keys must not hold what it was looked at for. */
  get value(): Uint8Array {
    return commitOf(this.#tables, this.key, this.modRevision).value;
  }
}

/** One key as it was: the first change after `revision` names the one before it. */
export function pastOf(tables: Tables, key: string, revision: number): KeyValue | undefined {
  const now = currentOf(tables, key);
  if (now !== undefined && now.modRevision <= revision) return now;
  for (const { value } of tables.commits.getRange({ start: revision + 1 })) {
    if (keyOf(value) === key) return writtenAt(tables, key, previousRevisionOf(value));
  }
  return undefined;
}

/**
 * What was written of a key at a revision, read at once. Where it is damaged, whoever looks at the
 * value is told so.
 * @returns undefined at revision 0, which stands for nothing
 */
export function writtenAt(tables: Tables, key: string, revision: number): KeyValue | undefined {
  if (revision === 0) return undefined;
  try {
    return commitOf(tables, key, revision);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return {
      key,
      createRevision: revision,
      modRevision: revision,
      get value(): Uint8Array {
        throw error;
      },
    };
  }
}

/** @throws StoreError `corrupt` when it is not there */
function commitOf({ commits }: Tables, key: string, revision: number): RevisionRecord {
  const encoded = commits.get(revision);
  const record = encoded && decodeRecord(encoded);
  if (record?.key === key && record.modRevision === revision) return record;
  throw new StoreError(
    'corrupt',
    record === undefined
      ? `The stored value of ${key} is missing: there is no revision ${revision}`
      : `The stored value of ${key} is missing: revision ${revision} is of ${record.key}`,
  );
}

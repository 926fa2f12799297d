import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Logger } from '../machinery/log.ts';
import { writeDurably } from './durable-file.ts';
import type { Keyring } from './encryption/keyring.ts';
import { seal, unseal } from './encryption/seal.ts';
import type { IdentifiedStore, StoreContents } from './lmdb/lmdb-store.ts';
import { StoreError, type Store } from './store.ts';

/**
 * What a store is known to have held, in a file beside its data: what was lost with the data is
 * noticed by it. It is written behind the data, never before: a store that was killed is never
 * behind its record.
 */
interface StoreRecord extends StoreContents {
  readonly identity: string;
  /** Whether the data file has that identity too. */
  readonly established: boolean;
}

export interface StoreRecordOptions {
  readonly store: IdentifiedStore;
  readonly keyring: Keyring;
  /** The record's. */
  readonly file: string;
  /** Go on with a store that has less than its record says, or has no record. */
  readonly acceptStore: boolean;
  readonly log?: Logger;
}

/** How far the record may stay behind the store. */
const stepRevisions = 1000;
const stepMs = 60_000;

/** Bound into the seal. No key of the store starts without a slash. */
const sealedAs = 'store record';

/**
 * The store with its record kept.
 * @param store that which `options.store` is under
 * @throws StoreError `corrupt` when the store does not have what its record says
 */
export async function recordedStore(store: Store, options: StoreRecordOptions): Promise<Store> {
  const identity = await compare(options);
  const { store: inner, keyring, file, log } = options;
  let recorded = inner.contents().revision;
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const write = async (contents: StoreContents): Promise<void> => {
    const record = { ...contents, identity, established: true };
    try {
      await writeRecord(file, keyring, record);
      recorded = contents.revision;
    } catch (error) {
      // The older record still holds; the next step tries again.
      log?.warn('The store record could not be written', { error: (error as Error).message });
    }
  };
  const writeSoon = (): void => {
    clearTimeout(timer);
    timer = undefined;
    writing ??= write(inner.contents()).finally(() => (writing = undefined));
  };
  const wrote = (revision: number): void => {
    if (revision <= recorded) return;
    if (revision >= recorded + stepRevisions) writeSoon();
    else timer ??= setTimeout(writeSoon, stepMs).unref();
  };

  return {
    revision: () => store.revision(),
    get: (key, atRevision) => store.get(key, atRevision),
    range: query => store.range(query),
    watch: (query, listener) => store.watch(query, listener),
    compact: revision => store.compact(revision),
    writeFault: () => store.writeFault(),
    async put(key, value, expectedRevision) {
      const result = await store.put(key, value, expectedRevision);
      if (result.ok) wrote(result.revision);
      return result;
    },
    async delete(key, expectedRevision) {
      const result = await store.delete(key, expectedRevision);
      if (result.ok) wrote(result.revision);
      return result;
    },
    async close() {
      clearTimeout(timer);
      await writing;
      await store.close();
      if (inner.writeFault() !== undefined) return;
      const contents = inner.contents();
      if (contents.revision > recorded) await write(contents);
    },
  };
}

/** @returns the store's identity */
async function compare({ store, keyring, file, acceptStore }: StoreRecordOptions): Promise<string> {
  const contents = store.contents();
  const establish = async (): Promise<string> => {
    const identity = contents.identity ?? randomUUID();
    const record = { ...contents, identity };
    await writeRecord(file, keyring, { ...record, established: false });
    if (contents.identity === undefined) await store.identify(identity);
    await writeRecord(file, keyring, { ...record, established: true });
    return identity;
  };
  const refuse = (detail: string): Promise<string> => {
    if (acceptStore) return establish();
    throw new StoreError(
      'corrupt',
      `${detail}. Restore the whole store folder from one backup, or accept the store as it is with: keylet up --accept-store`,
    );
  };

  const record = await readRecord(file, keyring);
  if (record === 'damaged') return refuse(`The store record ${file} is damaged`);
  if (record === undefined) {
    // A new store, or one that an older Keylet wrote.
    if (contents.identity === undefined) return establish();
    return refuse(
      `The store record ${file} is missing: it cannot be told whether the store is whole`,
    );
  }
  if (contents.identity === undefined && !record.established) return establish();
  if (contents.identity !== record.identity) {
    return contents.count === 0
      ? refuse(`The store is empty, but ${held(record)}`)
      : refuse(`The store is another one than its record ${file} was written for`);
  }
  if (contents.revision < record.revision)
    return refuse(
      `The store holds ${contents.count} objects at revision ${contents.revision}, but ${held(record)}`,
    );
  if (contents.revision === record.revision && contents.count !== record.count)
    return refuse(`The store holds ${contents.count} objects, but ${held(record)}`);
  if (!record.established) return establish();
  return record.identity;
}

const held = ({ count, revision }: StoreRecord): string =>
  `it held ${count} objects at revision ${revision}: it is damaged, or an older copy`;

const writeRecord = (file: string, keyring: Keyring, record: StoreRecord): Promise<void> =>
  writeDurably(file, seal(keyring, sealedAs, Buffer.from(JSON.stringify(record))));

async function readRecord(
  file: string,
  keyring: Keyring,
): Promise<StoreRecord | 'damaged' | undefined> {
  try {
    return JSON.parse(unseal(keyring, sealedAs, await readFile(file)).toString()) as StoreRecord;
  } catch (error) {
    if (error instanceof StoreError) return 'damaged';
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

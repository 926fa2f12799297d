import { badRequest } from '../../machinery/status.ts';
import { StoreError, type KeyValue, type Store } from '../../store/store.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import type { ListPage, ListRequest, StoredObject } from './object-store.ts';
import { continueTooOld, guarded, listTooOld, tooLarge } from './store-errors.ts';

/** Of a large page no more JSON than this is held: the rest is read when it is sent. */
const maxKeptBytes = 512 * 1024;
/** Keys read at once: a few milliseconds. */
const pieceKeys = 5000;

export interface PageSource {
  readonly store: Store;
  readonly prefix: string;
  /** @returns undefined when its stored value is damaged */
  readonly toObject: (kv: KeyValue) => StoredObject | undefined;
  /** One that is read when it is looked at, each time anew. @returns undefined when it is known to be damaged */
  readonly toLazyObject: (kv: KeyValue) => StoredObject | undefined;
  readonly identityOf: (key: string) => { readonly namespace: string; readonly name: string };
}

/** A page of the keys under the prefix; with a filter, as many keys are read as fill it. */
export async function listPage(request: ListRequest, source: PageSource): Promise<ListPage> {
  const { store, prefix, toObject, toLazyObject, identityOf } = source;
  const limit = request.limit === undefined || request.limit <= 0 ? undefined : request.limit;
  const start = await startOf(request, source);
  let { atRevision, startAfter } = start;
  const items: StoredObject[] = [];
  const damaged: { namespace: string; name: string }[] = [];
  const add = (kv: KeyValue, object: StoredObject | undefined): void => {
    if (object === undefined) damaged.push(identityOf(kv.key));
    else items.push(object);
  };
  // Pages that a filter leaves empty are not read key by key.
  const leastKeys = request.filter === undefined ? 0 : 500;
  let keptBytes = 0;
  for (;;) {
    const query = {
      prefix,
      ...(startAfter === undefined ? {} : { startAfter }),
      limit: Math.min(
        limit === undefined ? pieceKeys : Math.max(limit - items.length, leastKeys),
        pieceKeys,
      ),
      ...(atRevision === undefined ? {} : { atRevision }),
    };
    const waits = request.turn?.();
    if (waits !== undefined) await waits;
    const page = await guarded(() => store.range(query)).catch((error: unknown) => {
      throw pastError(error, request, { prefix, startAfter, atRevision });
    });
    atRevision ??= page.revision;
    let read = 0;
    for (const kv of page.items) {
      if (limit !== undefined && items.length >= limit) break;
      read += 1;
      startAfter = kv.key;
      if (keptBytes > maxKeptBytes && request.filter === undefined) {
        add(kv, toLazyObject(kv));
        continue;
      }
      const waits = request.turn?.();
      if (waits !== undefined) await waits;
      if (request.signal?.aborted === true) return { items, damaged, resourceVersion: atRevision };
      const object = toObject(kv);
      keptBytes += object?.json.length ?? 0;
      if (object === undefined) add(kv, object);
      else if (request.filter?.(object.object()) ?? true)
        add(kv, keptBytes <= maxKeptBytes ? object : toLazyObject(kv));
    }
    const remaining = page.remaining + page.items.length - read;
    if (remaining === 0 || startAfter === undefined) {
      return { items, damaged, resourceVersion: atRevision };
    }
    if (limit !== undefined && items.length >= limit) {
      return {
        items,
        damaged,
        resourceVersion: atRevision,
        continue: encodeContinue({ revision: atRevision, startAfter }, prefix),
        ...(request.filter === undefined ? { remainingItemCount: remaining } : {}),
      };
    }
  }
}

/** Where the list begins, and as of when (undefined: now). */
async function startOf(
  request: ListRequest,
  { store, prefix }: PageSource,
): Promise<{ atRevision: number | undefined; startAfter: string | undefined }> {
  const version = request.resourceVersion ?? '';
  const asked = version === '0' ? 0 : Number(version);
  if (request.continue) {
    if (asked > 0) {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const { revision, startAfter } = decodeContinue(request.continue, prefix);
    return { atRevision: revision > 0 ? revision : undefined, startAfter };
  }
  // A version with a limit means that very version, as it did before there was a match to say so.
  const exact =
    request.resourceVersionMatch === 'Exact' ||
    (request.resourceVersionMatch === undefined && (request.limit ?? 0) > 0);
  const newest = asked > 0 ? await guarded(() => store.revision()) : 0;
  if (asked > newest) throw tooLarge(asked, newest);
  return { atRevision: exact && asked > 0 ? asked : undefined, startAfter: undefined };
}

interface Position {
  readonly prefix: string;
  readonly startAfter: string | undefined;
  readonly atRevision: number | undefined;
}

function pastError(
  error: unknown,
  request: ListRequest,
  { prefix, startAfter, atRevision = 0 }: Position,
): unknown {
  if (!(error instanceof StoreError)) return error;
  if (error.code === 'future') return tooLarge(atRevision, error.revision ?? 0);
  if (error.code !== 'compacted') return error;
  return request.continue && startAfter !== undefined
    ? continueTooOld(encodeContinue({ revision: -1, startAfter }, prefix))
    : listTooOld();
}

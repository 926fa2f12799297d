import { expect, test } from 'vitest';
import type { KeyValue, RangeQuery, Store } from '../../store/store.ts';
import { listPage } from './list-page.ts';
import { storedObject } from './stored-object.ts';

const prefix = '/registry/core/secrets/';
const count = 12_000;
const keys: readonly KeyValue[] = Array.from({ length: count }, (_, i) => ({
  key: `${prefix}s-${String(i).padStart(5, '0')}`,
  value: Buffer.from('{"metadata":{"name":"s"}}'),
  createRevision: 1,
  modRevision: 1,
}));

/** A store that records what is read of it, and in which turn. */
function setUp() {
  const reads: { items: number; turn: number; atRevision: number | undefined }[] = [];
  let turns = 0;
  const range = async ({ startAfter = '', limit = Infinity, atRevision }: RangeQuery) => {
    const rest = keys.filter(({ key }) => key > startAfter);
    const items = rest.slice(0, limit);
    reads.push({ items: items.length, turn: turns, atRevision });
    return { revision: 7, items, remaining: rest.length - items.length };
  };
  const source = {
    store: { range } as unknown as Store,
    prefix,
    identityOf: (key: string) => ({ namespace: '', name: key.slice(prefix.length) }),
    toObject: ({ key, value }: KeyValue) =>
      storedObject({ namespace: '', name: key.slice(prefix.length) }, value, 1),
    toLazyObject: ({ key, value }: KeyValue) =>
      storedObject({ namespace: '', name: key.slice(prefix.length) }, value, 1),
  };
  const turn = async (): Promise<void> => void (turns += 1);
  return { reads, list: (limit?: number) => listPage({ turn, ...(limit && { limit }) }, source) };
}

test('a list of everything is read piece by piece, a turn each, as of one revision', async () => {
  const { reads, list } = setUp();
  const page = await list();
  expect(page.items.map(({ name }) => `${prefix}${name}`)).toEqual(keys.map(({ key }) => key));
  expect(page).toMatchObject({ resourceVersion: 7 });
  expect(Math.max(...reads.map(({ items }) => items))).toBeLessThanOrEqual(5000);
  expect(new Set(reads.map(({ turn }) => turn)).size).toBe(reads.length);
  expect(reads.map(({ atRevision }) => atRevision)).toEqual([undefined, 7, 7]);
});

test('a page that is larger than a piece is as large as was asked, and says what remains', async () => {
  const { reads, list } = setUp();
  const page = await list(7000);
  expect(page.items).toHaveLength(7000);
  expect(page.remainingItemCount).toBe(count - 7000);
  expect(page.continue).toBeDefined();
  expect(reads.map(({ items }) => items)).toEqual([5000, 2000]);
});

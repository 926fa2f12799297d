import assert from 'node:assert/strict';
import { StoreError, type Store, type StoreEvent } from './store.ts';

/** What every adapter of the port has to do. Needs no test runner: `run` rejects where it fails. */
export interface ConformanceCase {
  readonly name: string;
  readonly run: (store: Store) => Promise<void>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

async function put(store: Store, key: string, value: string): Promise<number> {
  const result = await store.put(key, bytes(value));
  assert.ok(result.ok);
  return result.revision;
}

/** Collects events; `has(n)` resolves when n are in. */
function collector() {
  const events: StoreEvent[] = [];
  let wake: (() => void) | undefined;
  return {
    events,
    listener: {
      onEvents: (more: readonly StoreEvent[]) => {
        events.push(...more);
        wake?.();
      },
      onError: () => wake?.(),
    },
    async has(count: number): Promise<void> {
      while (events.length < count) await new Promise<void>(resolve => (wake = resolve));
    },
  };
}

const isCode = (code: string) => (error: unknown) =>
  error instanceof StoreError && error.code === code;

export const conformance: readonly ConformanceCase[] = [
  {
    name: 'an empty store is at revision 1 and each commit takes the next',
    async run(store) {
      assert.equal(await store.revision(), 1);
      assert.equal(await put(store, '/a', '1'), 2);
      assert.equal(await put(store, '/a', '2'), 3);
      assert.equal(await store.revision(), 3);
    },
  },
  {
    name: 'get answers value, createRevision and modRevision; an absent key is undefined',
    async run(store) {
      const created = await put(store, '/a', '1');
      const modified = await put(store, '/a', '2');
      const { kv } = await store.get('/a');
      assert.equal(text(kv?.value), '2');
      assert.equal(kv?.createRevision, created);
      assert.equal(kv?.modRevision, modified);
      assert.equal((await store.get('/b')).kv, undefined);
    },
  },
  {
    name: 'put under a condition writes once and answers the present state otherwise',
    async run(store) {
      const first = await store.put('/a', bytes('1'), 0);
      assert.ok(first.ok);
      const second = await store.put('/a', bytes('2'), 0);
      assert.ok(!second.ok);
      assert.equal(text(second.current?.value), '1');
      assert.ok((await store.put('/a', bytes('3'), first.revision)).ok);
      assert.equal(text((await store.get('/a')).kv?.value), '3');
    },
  },
  {
    name: 'of many writers under one condition exactly one wins',
    async run(store) {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.put('/a', bytes(String(i)), 0)),
      );
      assert.equal(results.filter(result => result.ok).length, 1);
    },
  },
  {
    name: 'delete removes, under a condition too; deleting nothing takes no revision',
    async run(store) {
      const revision = await put(store, '/a', '1');
      assert.ok(!(await store.delete('/a', revision + 7)).ok);
      assert.ok((await store.delete('/a', revision)).ok);
      assert.equal((await store.get('/a')).kv, undefined);
      const before = await store.revision();
      assert.ok((await store.delete('/a')).ok);
      assert.equal(await store.revision(), before);
    },
  },
  {
    name: 'a key made again has a new createRevision',
    async run(store) {
      const first = await put(store, '/a', '1');
      await store.delete('/a');
      const again = await put(store, '/a', '2');
      assert.ok(again > first);
      assert.equal((await store.get('/a')).kv?.createRevision, again);
    },
  },
  {
    name: 'range answers keys of the prefix in byte order, by pages, with what remains',
    async run(store) {
      for (const key of ['/p/b', '/p/a', '/p/c', '/q/a', '/p', '/p/B']) await put(store, key, key);
      const all = await store.range({ prefix: '/p/' });
      assert.deepEqual(
        all.items.map(kv => kv.key),
        ['/p/B', '/p/a', '/p/b', '/p/c'],
      );
      const page = await store.range({ prefix: '/p/', limit: 2 });
      assert.equal(page.remaining, 2);
      const next = await store.range({ prefix: '/p/', startAfter: page.items[1]?.key ?? '' });
      assert.deepEqual(
        next.items.map(kv => kv.key),
        ['/p/b', '/p/c'],
      );
    },
  },
  {
    name: 'get and range answer the past as it was',
    async run(store) {
      await put(store, '/a', '1');
      const then = await put(store, '/b', '1');
      await put(store, '/a', '2');
      await store.delete('/b');
      await put(store, '/c', '1');
      const past = await store.range({ prefix: '/', atRevision: then });
      assert.deepEqual(
        past.items.map(kv => [kv.key, text(kv.value)]),
        [
          ['/a', '1'],
          ['/b', '1'],
        ],
      );
      assert.equal(text((await store.get('/a', then)).kv?.value), '1');
      assert.equal(text((await store.get('/b', then)).kv?.value), '1');
      assert.equal((await store.get('/c', then)).kv, undefined);
    },
  },
  {
    name: 'compaction forgets what was, keeps what is and what a kept revision still shows',
    async run(store) {
      const first = await put(store, '/a', '1');
      const second = await put(store, '/a', '2');
      const third = await put(store, '/a', '3');
      await store.compact(second);
      await assert.rejects(store.get('/a', first), isCode('compacted'));
      assert.equal(text((await store.get('/a', second)).kv?.value), '2');
      assert.equal(text((await store.get('/a', third)).kv?.value), '3');
      await assert.rejects(
        store.watch({ prefix: '/', afterRevision: first }, collector().listener),
        isCode('compacted'),
      );
    },
  },
  {
    name: 'a revision of the future is refused',
    run: async store => {
      await assert.rejects(store.get('/a', 99), isCode('future'));
    },
  },
  {
    name: 'watch replays from a revision, then goes on live, in order and without a gap',
    async run(store) {
      const start = await put(store, '/w/a', '0');
      const seen = collector();
      const writes = (async () => {
        for (let i = 1; i <= 30; i += 1) await put(store, i % 3 === 0 ? '/other' : '/w/a', `${i}`);
      })();
      const watch = await store.watch({ prefix: '/w/', afterRevision: start }, seen.listener);
      await writes;
      await seen.has(20);
      const values = seen.events.map(event => Number(text(event.value)));
      assert.deepEqual(
        values,
        Array.from({ length: 30 }, (_, i) => i + 1).filter(i => i % 3 !== 0),
      );
      watch.close();
      await put(store, '/w/a', 'late');
      assert.equal(seen.events.length, 20);
    },
  },
  {
    name: 'a long replay comes in slices, with a turn between them, and goes on live without a gap',
    async run(store) {
      const start = await put(store, '/w/a', '0');
      for (let i = 1; i <= 500; i += 1) await put(store, '/w/a', `${i}`);
      const seen = collector();
      let before = 0;
      let longest = 0;
      const turn = async (): Promise<void> => {
        longest = Math.max(longest, seen.events.length - before);
        before = seen.events.length;
        if (before === 200) await put(store, '/w/a', '501');
      };
      const watch = await store.watch({ prefix: '/w/', afterRevision: start, turn }, seen.listener);
      await put(store, '/w/a', '502');
      await seen.has(502);
      assert.deepEqual(
        seen.events.map(event => Number(text(event.value))),
        Array.from({ length: 502 }, (_, i) => i + 1),
      );
      assert.ok(longest > 0 && longest <= 100, `${longest} events without a turn`);
      watch.close();
    },
  },
  {
    name: 'events carry type, the value before, and whether the key is new',
    async run(store) {
      const seen = collector();
      await store.watch({ prefix: '/', afterRevision: await store.revision() }, seen.listener);
      await put(store, '/a', '1');
      await put(store, '/a', '2');
      await store.delete('/a');
      await seen.has(3);
      assert.deepEqual(
        seen.events.map(event => [event.type, text(event.value), text(event.previous?.value)]),
        [
          ['put', '1', undefined],
          ['put', '2', '1'],
          ['delete', undefined, '2'],
        ],
      );
      assert.deepEqual(
        seen.events.map(event => event.createRevision === event.revision),
        [true, false, false],
      );
    },
  },
  {
    name: 'values are any bytes, of 0 to 2 MiB',
    async run(store) {
      const large = Buffer.alloc(2 * 1024 * 1024, 7);
      await store.put('/large', large);
      await store.put('/empty', new Uint8Array());
      assert.ok(large.equals((await store.get('/large')).kv?.value ?? new Uint8Array()));
      assert.equal((await store.get('/empty')).kv?.value.length, 0);
    },
  },
  {
    name: 'what a write supersedes after a compaction is still shown by the revisions before it',
    async run(store) {
      await put(store, '/a', 'old');
      await put(store, '/deleted', 'old');
      const kept = await put(store, '/other', '1');
      await store.compact(kept);
      await put(store, '/a', 'new');
      await store.delete('/deleted');
      assert.equal(text((await store.get('/a', kept)).kv?.value), 'old');
      const seen = collector();
      await store.watch({ prefix: '/', afterRevision: kept }, seen.listener);
      await seen.has(2);
      assert.deepEqual(
        seen.events.map(event => text(event.previous?.value)),
        ['old', 'old'],
      );
      await store.compact(await store.revision());
      assert.equal(text((await store.get('/a')).kv?.value), 'new');
    },
  },
  {
    name: 'pages of the past are as they were, whatever was made, changed and removed since',
    async run(store) {
      const names = Array.from({ length: 12 }, (_, i) => `/p/${String(i * 10).padStart(3, '0')}`);
      for (const name of names) await put(store, name, 'then');
      const then = await store.revision();
      await put(store, '/p/005', 'made');
      await put(store, '/p/999', 'made');
      await put(store, '/p/020', 'changed');
      for (const gone of ['/p/000', '/p/050', '/p/110']) await store.delete(gone);
      const read: string[] = [];
      let startAfter = '';
      for (let left = names.length; left > 0;) {
        const page = await store.range({ prefix: '/p/', startAfter, limit: 5, atRevision: then });
        assert.ok(page.items.every(kv => text(kv.value) === 'then'));
        left -= page.items.length;
        assert.equal(page.remaining, left);
        read.push(...page.items.map(kv => kv.key));
        startAfter = page.items.at(-1)?.key ?? '~';
      }
      assert.deepEqual(read, names);
    },
  },
  {
    name: 'a read shows nothing newer than the revision that it answers, and all that was acknowledged',
    async run(store) {
      let acknowledged = 0;
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let i = 0; i < 25; i += 1) {
          acknowledged = Math.max(acknowledged, await put(store, `/k/${writer}`, `${i}`));
        }
      });
      const state = { writing: true };
      const all = Promise.all(writers).then(() => (state.writing = false));
      while (state.writing) {
        const floor = acknowledged;
        const { revision, items } = await store.range({ prefix: '/k/' });
        assert.ok(revision >= floor);
        assert.ok(items.every(kv => kv.modRevision <= revision));
        await new Promise(resolve => setImmediate(resolve));
      }
      await all;
    },
  },
  {
    name: 'the watches know of a write before its writer, and of all that a read shows',
    async run(store) {
      let told = await store.revision();
      await store.watch(
        { prefix: '/', afterRevision: told },
        { onEvents: events => (told = events.at(-1)?.revision ?? told), onError: () => undefined },
      );
      const mustBeTold = (revision: number): void =>
        assert.ok(told >= revision, `told ${told} of ${revision}`);
      for (let turns = 0; turns < 10; turns += 1) {
        const writes = ['/a', '/b'].map(async key => mustBeTold(await put(store, key, 'x')));
        for (let i = 0; i < turns; i += 1) await new Promise(setImmediate);
        // The disk may be done while this thread is busy: what is there then is not told yet.
        const until = performance.now() + 20;
        while (performance.now() < until);
        mustBeTold((await store.get('/a')).revision);
        mustBeTold((await store.range({ prefix: '/' })).revision);
        mustBeTold(await store.revision());
        await Promise.all(writes);
      }
    },
  },
  {
    name: 'a listener that throws loses its own watch; the writer and the others do not notice',
    async run(store) {
      const afterRevision = await store.revision();
      const errors: StoreError[] = [];
      await store.watch(
        { prefix: '/', afterRevision },
        {
          onEvents: () => {
            throw new Error('planted');
          },
          onError: error => errors.push(error),
        },
      );
      const seen = collector();
      const watch = await store.watch({ prefix: '/', afterRevision }, seen.listener);
      await put(store, '/a', '1');
      await put(store, '/a', '2');
      await seen.has(2);
      assert.equal(errors.length, 1);
      assert.equal(watch.delivered, await store.revision());
    },
  },
  {
    name: 'close ends the watches, with an error that says so, and everything after',
    async run(store) {
      const errors: StoreError[] = [];
      await store.watch(
        { prefix: '/', afterRevision: 1 },
        { onEvents: () => undefined, onError: error => errors.push(error) },
      );
      await store.close();
      assert.deepEqual(
        errors.map(error => error.code),
        ['closed'],
      );
      await assert.rejects(store.get('/a'), isCode('closed'));
      await assert.rejects(store.put('/a', bytes('1')), isCode('closed'));
    },
  },
];

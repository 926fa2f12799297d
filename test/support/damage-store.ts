import {
  cpSync,
  openSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { openStore } from '../../src/store/open-store.ts';
import { StoreError, type Store } from '../../src/store/store.ts';

/*
 * A process of its own, since what it looks for ends a process by a signal: damages copies of a store,
 * uses each in every way, and prints a line of JSON a copy. Arguments: the folder of the store and
 * its keys, a folder for the copies, the first seed, how many.
 */
export interface DamageOutcome {
  readonly seed: number;
  readonly damage: string;
  /** The one line that refused it. */
  readonly refused?: string;
  readonly readable?: number;
  readonly damaged?: number;
  /** An error that is none of the store's own. */
  readonly fault?: string;
}

const [template = '', copies = '', first = '0', count = '0'] = process.argv.slice(2);
const pageBytes = 4096;

/** Small and seeded: a seed tells the damage again. */
function randomOf(seed: number): (below: number) => number {
  let state = (seed + 1) * 2654435761;
  return below => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) | 0;
    return Math.abs(state ^ (state >>> 13)) % below;
  };
}

function damage(file: string, random: (below: number) => number): string {
  const fd = openSync(file, 'r+');
  try {
    const { size } = fstatSync(fd);
    const flip = (at: number): void => {
      const byte = Buffer.alloc(1);
      readSync(fd, byte, 0, 1, at);
      byte[0] = (byte[0] ?? 0) ^ (1 << random(8));
      writeSync(fd, byte, 0, 1, at);
    };
    switch (random(6)) {
      case 0: {
        const bytes = random(size);
        ftruncateSync(fd, bytes);
        return `cut off at ${bytes}`;
      }
      case 1: {
        const at = random(2 * 200) + (random(2) === 0 ? 0 : pageBytes);
        flip(at);
        return `bit of a meta page, byte ${at}`;
      }
      case 2: {
        // Where pages, nodes and the ends of free space are told.
        const at = random(size / pageBytes) * pageBytes + random(64);
        flip(at);
        return `bit of a page header, byte ${at}`;
      }
      case 3: {
        const page = random(size / pageBytes) * pageBytes;
        writeSync(fd, Buffer.alloc(pageBytes, random(2) * 255), 0, pageBytes, page);
        return `page at ${page} overwritten`;
      }
      case 4: {
        const [a, b] = [random(size / pageBytes) * pageBytes, random(size / pageBytes) * pageBytes];
        const page = Buffer.alloc(pageBytes);
        readSync(fd, page, 0, pageBytes, a);
        writeSync(fd, page, 0, pageBytes, b);
        return `page at ${a} copied to ${b}`;
      }
      default: {
        const bytes = Array.from({ length: 1 + random(8) }, () => random(size));
        for (const at of bytes) flip(at);
        return `bits of bytes ${bytes.join(', ')}`;
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** Reads all, writes, deletes, forgets. @returns how many values could be read, and not */
async function use(store: Store): Promise<{ readable: number; damaged: number }> {
  let readable = 0;
  let damaged = 0;
  const { items } = await store.range({ prefix: '/' });
  const isReadable = (value: () => unknown): boolean => {
    try {
      value();
      return true;
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'corrupt') throw error;
      return false;
    }
  };
  for (const kv of items) {
    if (isReadable(() => kv.value)) readable += 1;
    else damaged += 1;
  }
  const oldest = await store.get('/', 1).then(
    () => 1,
    (error: StoreError) => error.revision ?? 1,
  );
  const watch = await store.watch(
    { prefix: '/', afterRevision: oldest },
    {
      onEvents(events) {
        for (const event of events) isReadable(() => [event.value, event.previous?.value]);
      },
      onError(error) {
        if (error.code !== 'corrupt') throw error;
      },
    },
  );
  for (const [i, { key }] of items.entries()) {
    if (i % 2 === 0) await store.put(key, Buffer.alloc(3000, 1));
    else await store.delete(key);
  }
  await store.put('/new', Buffer.alloc(10_000, 1));
  watch.close();
  await store.compact(await store.revision());
  const left = await store.range({ prefix: '/' });
  for (const kv of left.items) void kv.value;
  return { readable, damaged };
}

for (let seed = Number(first); seed < Number(first) + Number(count); seed += 1) {
  const copy = path.join(copies, String(seed));
  cpSync(template, copy, { recursive: true });
  const did = damage(path.join(copy, 'store/data.mdb'), randomOf(seed));
  process.stdout.write(`${JSON.stringify({ seed, damage: did })}\n`);
  const open = (): Promise<Store> =>
    openStore({ path: path.join(copy, 'store'), keysDir: path.join(copy, 'keys') });
  let outcome: Omit<DamageOutcome, 'seed' | 'damage'>;
  try {
    const store = await open();
    try {
      outcome = await use(store);
    } finally {
      await store.close();
    }
    await (await open()).close();
  } catch (error) {
    outcome =
      error instanceof StoreError
        ? { refused: error.message }
        : { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.stdout.write(`${JSON.stringify({ seed, damage: did, ...outcome })}\n`);
  rmSync(copy, { recursive: true });
}

import { Writable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import type { AnyResponse } from '../http/listener.ts';
import { createLineWriter } from './line-writer.ts';

const KiB = 1024;

/** A connection whose reader takes a chunk when told to. */
function setUp(maxBytes = 8 * KiB * KiB) {
  const handed: Buffer[] = [];
  const held: number[] = [];
  let taken: (() => void) | undefined;
  let cuts = 0;
  const connection = new Writable({
    highWaterMark: 16 * KiB,
    write(chunk: Buffer, _encoding, callback) {
      handed.push(chunk);
      taken = callback;
    },
  });
  connection.on('error', () => undefined);
  const writer = createLineWriter({
    response: connection as unknown as AnyResponse,
    maxBytes,
    hold: bytes => held.push(bytes),
    onCut: () => (cuts += 1),
  });
  const next = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
  /** The reader takes everything. */
  const takeAll = async (): Promise<void> => {
    for (let take = taken; take !== undefined; take = taken) {
      taken = undefined;
      take();
      await next();
    }
  };
  return {
    writer,
    connection,
    takeAll,
    held,
    handedBytes: () => handed.reduce((sum, { length }) => sum + length, 0),
    text: () => Buffer.concat(handed).toString(),
    cuts: () => cuts,
    isFinished: () => connection.writableFinished,
  };
}

test('a reader that takes nothing has no more than a slice handed over, whatever waits', async () => {
  const { writer, handedBytes, held, takeAll } = setUp();
  const shared = Buffer.alloc(1400 * KiB, 'x');
  for (let i = 0; i < 3; i += 1) writer.write(['{', shared, '}\n']);
  expect(handedBytes()).toBeLessThanOrEqual(64 * KiB);
  expect(held.at(-1)).toBe(3 * (shared.length + 3));
  await takeAll();
  expect(handedBytes()).toBe(3 * (shared.length + 3));
  expect(held.at(-1)).toBeLessThan(64 * KiB);
});

test('lines arrive whole and in order, and the end comes after them', async () => {
  const { writer, takeAll, text, isFinished } = setUp();
  const lines = Array.from({ length: 2000 }, (_, i) => `${i} ${'y'.repeat(i)}\n`);
  for (const line of lines) writer.write([line]);
  writer.end();
  writer.write(['too late']);
  expect(isFinished()).toBe(false);
  await takeAll();
  expect(text()).toBe(lines.join(''));
  expect(isFinished()).toBe(true);
});

test('there is room again once the reader has caught up', async () => {
  const { writer, takeAll } = setUp();
  expect(writer.room()).toBeUndefined();
  writer.write([Buffer.alloc(500 * KiB)]);
  const room = writer.room();
  expect(room).toBeInstanceOf(Promise);
  await takeAll();
  await room;
  expect(writer.room()).toBeUndefined();
});

test('a reader that is too far behind is cut off, and nothing waits for it', async () => {
  const { writer, connection, cuts } = setUp(MiB(1));
  writer.write([Buffer.alloc(MiB(1) - 10)]);
  const room = writer.room();
  expect(cuts()).toBe(0);
  writer.write([Buffer.alloc(20)]);
  expect([cuts(), connection.destroyed]).toEqual([1, true]);
  await room;
  writer.write([Buffer.alloc(MiB(2))]);
  writer.end();
  expect(cuts()).toBe(1);
});

test('a reader that takes nothing for half a minute is cut off; one that is idle is not', () => {
  vi.useFakeTimers();
  try {
    const [stuck, idle] = [setUp(), setUp()];
    stuck.writer.write([Buffer.alloc(100 * KiB)]);
    idle.writer.write(['a line']);
    vi.advanceTimersByTime(60_000);
    expect([stuck.cuts(), idle.cuts()]).toEqual([1, 0]);
  } finally {
    vi.useRealTimers();
  }
});

const MiB = (count: number): number => count * KiB * KiB;

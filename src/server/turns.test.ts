import { expect, test } from 'vitest';
import { nextTurn } from './turns.ts';

/** Work of which each piece takes longer than a turn. */
async function work(client: string, pieces: number, done: string[]): Promise<void> {
  for (let i = 0; i < pieces; i += 1) {
    const turn = nextTurn(client);
    if (turn !== undefined) await turn;
    done.push(client);
    const until = performance.now() + 6;
    while (performance.now() < until);
  }
}

test('one client with much work delays another by a piece of it', async () => {
  const done: string[] = [];
  const much = Array.from({ length: 10 }, () => work('greedy', 2, done));
  await work('modest', 3, done);
  // It had each second turn.
  expect(done.indexOf('modest')).toBeLessThan(4);
  expect(done.length).toBeLessThanOrEqual(8);
  await Promise.all(much);
  expect(done).toHaveLength(23);
});

test('between two pieces the event loop goes on', async () => {
  const done: string[] = [];
  let isOver = false;
  const others = (): void => {
    done.push('.');
    if (!isOver) setImmediate(others);
  };
  setImmediate(others);
  await Promise.all([work('a', 2, done), work('b', 2, done)]);
  isOver = true;
  expect(done.join('')).toMatch(/a\.+b\.+a\.+b/);
});

import { setImmediate } from 'node:timers/promises';
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
  const others = async (): Promise<void> => {
    while (!isOver) {
      await setImmediate();
      done.push('.');
    }
  };
  void others();
  await Promise.all([work('a', 2, done), work('b', 2, done)]);
  isOver = true;
  expect(done.join('')).toMatch(/^\.*[ab](\.+[ab]){3}\.*$/);
});

test('after a long piece of work other clients have the event loop for a while', async () => {
  let pieces = 0;
  let isOver = false;
  const heavy = async (): Promise<void> => {
    while (!isOver) {
      const turn = nextTurn('heavy');
      await (turn ?? setImmediate());
      pieces += 1;
      const until = performance.now() + 30;
      while (performance.now() < until);
    }
  };
  const much = heavy();
  for (let step = 0; step < 20; step += 1) {
    await nextTurn('light');
    // As if it waited for a disk or a socket.
    await setImmediate();
  }
  isOver = true;
  await much;
  // Not one for each of its steps.
  expect(pieces).toBeLessThan(10);
});

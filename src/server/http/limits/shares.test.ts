import { expect, test } from 'vitest';
import { createShares } from './shares.ts';

const takeAll = (shares: ReturnType<typeof createShares>, client: string): number => {
  let taken = 0;
  while (shares.take(client)) taken += 1;
  return taken;
};

test('one client alone gets half, and leaves room for the next', () => {
  const shares = createShares(400);
  expect(['a', 'b', 'c', 'd'].map(client => takeAll(shares, client))).toEqual([200, 100, 50, 25]);
  expect(shares.total).toBe(375);
});

test('what is given back can be taken again, by anybody', () => {
  const shares = createShares(8);
  expect(takeAll(shares, 'a')).toBe(4);
  expect(shares.take('a')).toBe(false);
  shares.giveBack('a');
  expect(shares.take('b')).toBe(true);
  expect(shares.heldBy('a')).toBe(3);
  for (let i = 0; i < 3; i += 1) shares.giveBack('a');
  shares.giveBack('b');
  expect([shares.total, shares.heldBy('a')]).toEqual([0, 0]);
  expect(takeAll(shares, 'a')).toBe(4);
});

test('amounts are taken whole or not at all', () => {
  const shares = createShares(100);
  expect(shares.take('a', 60)).toBe(true);
  expect(shares.take('b', 50)).toBe(false);
  expect(shares.take('b', 40)).toBe(true);
  expect(shares.take('c', 1)).toBe(false);
  shares.giveBack('a', 60);
  expect(shares.take('c', 30)).toBe(true);
});

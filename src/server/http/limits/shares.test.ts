import { expect, test } from 'vitest';
import { createShares, type Shares, type Sharer } from './shares.ts';

const alone = (key: string): Sharer => ({ key, group: key });
const takeAll = (shares: Shares, sharer: Sharer): number => {
  let taken = 0;
  while (shares.take(sharer)) taken += 1;
  return taken;
};

test('one client alone gets half, and leaves room for the next', () => {
  const shares = createShares({ max: 400, minimum: 0 });
  expect(['a', 'b', 'c', 'd'].map(key => takeAll(shares, alone(key)))).toEqual([200, 100, 50, 25]);
  expect(shares.total).toBe(375);
});

test('what is given back can be taken again, by anybody', () => {
  const shares = createShares({ max: 8, minimum: 0 });
  const [a, b] = [alone('a'), alone('b')];
  expect(takeAll(shares, a)).toBe(4);
  expect(shares.take(a)).toBe(false);
  shares.giveBack(a);
  expect(shares.take(b)).toBe(true);
  expect(shares.heldBy(a)).toBe(3);
  for (let i = 0; i < 3; i += 1) shares.giveBack(a);
  shares.giveBack(b);
  expect([shares.total, shares.heldBy(a)]).toEqual([0, 0]);
  expect(takeAll(shares, a)).toBe(4);
});

test('amounts are taken whole or not at all', () => {
  const shares = createShares({ max: 100, minimum: 0 });
  expect(shares.take(alone('a'), 60)).toBe(true);
  expect(shares.take(alone('b'), 50)).toBe(false);
  expect(shares.take(alone('b'), 40)).toBe(true);
  expect(shares.take(alone('c'), 1)).toBe(false);
  shares.giveBack(alone('a'), 60);
  expect(shares.take(alone('c'), 30)).toBe(true);
});

test('a group counts as one client beyond the minimum of each', () => {
  const shares = createShares({ max: 200, minimum: 4 });
  const accounts = Array.from({ length: 12 }, (_, i) => ({ key: `a${i}`, group: 'team' }));
  const taken = accounts.map(each => takeAll(shares, each));
  expect(taken).toEqual([100, ...Array.from({ length: 11 }, () => 4)]);
  expect(takeAll(shares, alone('other'))).toBe(28);
});

test('each client keeps the minimum when everything is taken', () => {
  const shares = createShares({ max: 8, minimum: 2 });
  for (let i = 0; i < 20; i += 1) takeAll(shares, alone(`client ${i}`));
  expect(takeAll(shares, alone('late'))).toBe(2);
});

test('clients of one group together never hold more than all', () => {
  const shares = createShares({ max: 8, minimum: 2 });
  for (let i = 0; i < 20; i += 1) takeAll(shares, { key: `account ${i}`, group: 'team' });
  expect(shares.total).toBe(8);
});

test('without a limit everything is granted', () => {
  const shares = createShares({ max: Infinity, minimum: 0 });
  for (let i = 0; i < 10_000; i += 1) expect(shares.take(alone('a'))).toBe(true);
});

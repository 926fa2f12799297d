import { expect, test } from 'vitest';
import { createUnsentBytes } from './unsent-bytes.ts';

const MiB = 1024 * 1024;
const setUp = (maxMiB: number) => {
  const unsent = createUnsentBytes(maxMiB * MiB);
  const cut: string[] = [];
  const open = (user: string, name: string, isExempt = false) =>
    unsent.open({ key: `user ${user}`, isExempt }, () => cut.push(name));
  return { unsent, cut, open };
};

test('of a client that holds too much the largest answer is cut off', () => {
  const { cut, open, unsent } = setUp(20);
  const [a, b] = [open('slow', 'a'), open('slow', 'b')];
  a.hold(5 * MiB);
  b.hold(3 * MiB);
  expect(cut).toEqual([]);
  b.hold(10 * MiB);
  expect(cut).toEqual(['b']);
  expect(unsent.total).toBe(5 * MiB);
  // What is cut off counts no more, whatever its writer still does.
  b.hold(50 * MiB);
  b.close();
  expect(unsent.total).toBe(5 * MiB);
  a.close();
  expect(unsent.total).toBe(0);
});

test('others are not cut off for it', () => {
  const { cut, open } = setUp(40);
  const other = open('other', 'other');
  other.hold(2 * MiB);
  for (let i = 0; i < 300; i += 1) open('slow', `slow-${i}`).hold(1.5 * MiB);
  other.hold(3 * MiB);
  expect(cut).not.toContain('other');
  expect(cut.length).toBeGreaterThan(270);
});

test('one object is always let through', () => {
  const { cut, open } = setUp(1);
  for (let i = 0; i < 10; i += 1) open(`user-${i}`, `${i}`).hold(3 * MiB);
  expect(cut).toEqual([]);
});

test('who is exempt may hold more, but not all memory', () => {
  const { cut, open } = setUp(10);
  const agent = open('agent', 'agent', true);
  agent.hold(100 * MiB);
  expect(cut).toEqual([]);
  const admin = open('admin', 'admin', true);
  admin.hold(60 * MiB);
  expect(cut).toEqual(['admin']);
});

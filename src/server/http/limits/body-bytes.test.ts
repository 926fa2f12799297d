import { expect, test } from 'vitest';
import { createBodyBytes } from './body-bytes.ts';
import type { Client } from './clients.ts';

const client = (key: string, isExempt = false): Client => ({ key, group: key, isExempt });
const create = () =>
  createBodyBytes({ max: 100, minimum: 5, maxExempt: 30, maxOfOne: 20, minOfOne: 2 });

test('a body of unknown length takes room as it arrives', () => {
  const bodies = create();
  const rooms = Array.from({ length: 20 }, () => bodies.admit(client('jane'), 0));
  expect(() => rooms[0]?.grow(12)).not.toThrow();
  expect(() => rooms[1]?.grow(12)).toThrow(/Too many requests/);
  for (const room of rooms) room.giveBack();
  expect(() => bodies.admit(client('jane'), 20)).not.toThrow();
});

test('a body of known length takes its room at once, and no more than is kept of any', () => {
  const bodies = create();
  for (const declared of [1000, 20, 20]) bodies.admit(client('jane'), declared);
  expect(() => bodies.admit(client('jane'), 20)).toThrow(/Too many requests/);
  expect(() => bodies.admit(client('joe'), 20)).not.toThrow();
});

test('those who are exempt share an amount of their own', () => {
  const bodies = create();
  const room = bodies.admit(client('root', true), 20);
  expect(() => bodies.admit(client('node', true), 20)).toThrow(/Too many requests/);
  room.giveBack();
  expect(() => bodies.admit(client('node', true), 20)).not.toThrow();
});

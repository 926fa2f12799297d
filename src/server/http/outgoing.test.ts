import { expect, test } from 'vitest';
import { slicesOf } from './outgoing.ts';

const sizes = (...pieces: (Buffer | string)[]): number[] =>
  [...slicesOf(pieces)].map(slice => slice.length);

test('slicesOf() joins what is small, splits what is large, and changes nothing', () => {
  const pieces = [
    'head',
    ...Array.from({ length: 50 }, (_, i) => Buffer.alloc(3000, i)),
    Buffer.alloc(700_000, 'x'),
    'tail ü',
  ];
  const joined = Buffer.concat([...slicesOf(pieces)]);
  expect(joined.equals(Buffer.concat(pieces.map(piece => Buffer.from(piece))))).toBe(true);
  expect(Math.max(...sizes(...pieces))).toBeLessThan(2 * 262_144);
  expect(sizes(...pieces).length).toBeLessThan(10);
  expect(sizes()).toEqual([]);
});

test('slicesOf() asks for no piece before its turn', () => {
  let asked = 0;
  function* endless(): Generator<Buffer> {
    for (;;) {
      asked += 1;
      yield Buffer.alloc(262_144);
    }
  }
  const content = slicesOf(endless())[Symbol.iterator]() as Generator<Buffer>;
  content.next();
  content.next();
  expect(asked).toBe(2);
  content.return(undefined);
});

test('slicesOf() tells what is held of a large piece', () => {
  const content = slicesOf(['small', Buffer.alloc(600_000), 'end']);
  const seen: number[] = [];
  for (const _ of content) seen.push(content.heldBytes);
  expect(seen).toEqual([0, 600_000, 337_856, 75_712, 0]);
});

import { expect, test } from 'vitest';
import { slices } from './outgoing.ts';

const sizes = (...pieces: (Buffer | string)[]): number[] =>
  [...slices(pieces)].map(slice => slice.length);

test('slices() joins what is small, splits what is large, and changes nothing', () => {
  const pieces = [
    'head',
    ...Array.from({ length: 50 }, (_, i) => Buffer.alloc(3000, i)),
    Buffer.alloc(200_000, 'x'),
    'tail ü',
  ];
  const joined = Buffer.concat([...slices(pieces)]);
  expect(joined.equals(Buffer.concat(pieces.map(piece => Buffer.from(piece))))).toBe(true);
  expect(Math.max(...sizes(...pieces))).toBeLessThan(2 * 65_536);
  expect(sizes(...pieces).length).toBeLessThan(10);
  expect(sizes()).toEqual([]);
});

test('slices() asks for no piece before its turn', () => {
  let asked = 0;
  function* endless(): Generator<Buffer> {
    for (;;) {
      asked += 1;
      yield Buffer.alloc(65_536);
    }
  }
  const content = slices(endless());
  content.next();
  content.next();
  expect(asked).toBe(2);
  content.return(undefined);
});

import { expect, test } from 'vitest';
import { nextTurn } from './turns.ts';

test('several that work at once take turns, and others come in between', async () => {
  const done: string[] = [];
  const work = async (name: string): Promise<void> => {
    for (let i = 0; i < 3; i += 1) {
      const turn = nextTurn();
      if (turn !== undefined) await turn;
      done.push(name);
    }
  };
  let isOver = false;
  const others = (): void => {
    done.push('.');
    if (!isOver) setImmediate(others);
  };
  setImmediate(others);
  await Promise.all([work('a'), work('b'), work('c')]);
  isOver = true;
  expect(done.filter(name => name !== '.').slice(0, 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  // Between two pieces lies a turn in which others are served.
  expect(done.join('')).toMatch(/a\.+b\.+c\.+a\.+b/);
});

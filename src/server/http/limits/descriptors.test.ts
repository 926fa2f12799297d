import { openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createDescriptorCheck } from './descriptors.ts';

test('says once an episode that no descriptors are left', () => {
  const lines: string[] = [];
  let isOut = false;
  const check = createDescriptorCheck({ warn: message => void lines.push(message) }, () => {
    if (isOut) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    return openSync('/dev/null', 'r');
  });
  for (const out of [false, true, true, false, true]) {
    isOut = out;
    check.sweep();
  }
  expect(lines).toEqual(
    Array.from({ length: 2 }, () => expect.stringContaining('No file descriptors left') as string),
  );
});

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../support/keylet.ts';

const marks = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map(([, mark = '']) => mark))].toSorted();

test('docs/spec.md names every test of this folder, and none that is not here', async () => {
  const files = (await readdir(import.meta.dirname)).filter(name => name.endsWith('.test.ts'));
  const sources = await Promise.all(
    files.map(name => readFile(path.join(import.meta.dirname, name), 'utf8')),
  );
  // The beginning of a test's name, or of the name of a case of test.each.
  const tests = marks(sources.join('\n'), /(?:\(|\)\(|name: )['"]([A-Z]\d+) /g);
  const document = await readFile(path.join(root, 'docs/spec.md'), 'utf8');
  // C4 is Keylet's own.
  expect(marks(document, /\b([VUEPC]\d+)\b/g)).toEqual(tests.filter(mark => mark !== 'C4'));
});

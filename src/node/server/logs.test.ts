import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseLogLine } from './log-line.ts';
import { tailOffset } from './tail-offset.ts';

test.each([
  [
    '2026-01-02T03:04:05.000000006Z stdout F hello world',
    { stream: 'stdout', partial: false, text: 'hello world' },
  ],
  ['2026-01-02T03:04:05Z stderr P cut', { stream: 'stderr', partial: true, text: 'cut' }],
  ['2026-01-02T03:04:05Z stdout F ', { stream: 'stdout', partial: false, text: '' }],
])('parseLogLine(%j)', (line, parts) => {
  expect(parseLogLine(line)).toMatchObject(parts);
});

test('parseLogLine() knows nothing of other lines', () => {
  expect(parseLogLine('no log line')).toBeUndefined();
});

test.each([
  [0, ''],
  [1, 'c\n'],
  [2, 'b\nc\n'],
  [9, 'a\nb\nc\n'],
])('tailOffset() of %i lines', async (lines, text) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'keylet-tail-'));
  try {
    const name = path.join(folder, 'log');
    await writeFile(name, 'a\nb\nc\n');
    const file = await open(name);
    const offset = await tailOffset(file, lines);
    await file.close();
    expect('a\nb\nc\n'.slice(offset)).toBe(text);
  } finally {
    await rm(folder, { recursive: true });
  }
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { scrubLog } from './scrub-log.ts';

test('scrubLog() overwrites every occurrence, of whatever length, and nothing else', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'keylet-scrub-'));
  try {
    const file = path.join(dir, 'log');
    const before = 'level=info msg="ä long before"\n'.repeat(20_000);
    await writeFile(file, `${before}hunter2 ü hunter2hunter2\nkept pässwörd\n`);
    await scrubLog(file, ['hunter2', 'pässwörd', 'absent']);
    expect(await readFile(file, 'utf8')).toBe(
      `${before}******* ü **************\nkept **********\n`,
    );
  } finally {
    await rm(dir, { recursive: true });
  }
});

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import type { DamageOutcome } from '../support/damage-store.ts';
import { root } from '../support/keylet.ts';
import { run } from '../support/run.ts';

const copies = 300;

let folder: string;
beforeAll(async () => {
  // In memory: what is tested is reading, and syncs would take most of the time.
  const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  folder = await mkdtemp(path.join(parent, 'keylet-damage-'));
  const store = await openStore({
    path: path.join(folder, 'whole/store'),
    keysDir: path.join(folder, 'whole/keys'),
    retention: { maxRevisions: 150 },
  });
  await Promise.all(
    Array.from({ length: 400 }, async (_, i) => {
      const key = `/registry/core/secrets/team-${i % 5}/s${i % 90}`;
      if (i % 11 === 0) await store.delete(key);
      else await store.put(key, Buffer.alloc(i % 7 === 0 ? 9000 : 30 + ((i * 37) % 1500), 7));
    }),
  );
  await store.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test(`${copies} stores damaged at random are refused in one line or used to their end, never by a signal or a stack`, async () => {
  const first = Number(process.env['KEYLET_SEED'] ?? Date.now() % 1_000_000);
  const { code, stdout, stderr } = await run(
    process.execPath,
    [
      '--import',
      'tsx',
      path.join(root, 'test/support/damage-store.ts'),
      path.join(folder, 'whole'),
      folder,
      String(first),
      String(copies),
    ],
    { timeoutMs: 240_000 },
  );
  const outcomes = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as DamageOutcome);
  expect(
    code,
    `KEYLET_SEED=${first}: it ended at ${JSON.stringify(outcomes.at(-1))} ${stderr}`,
  ).toBe(0);
  const ended = outcomes.filter(
    each => each.refused !== undefined || each.readable !== undefined || each.fault !== undefined,
  );
  expect(ended).toHaveLength(copies);
  expect(ended.filter(({ fault }) => fault !== undefined)).toEqual([]);
  for (const { refused = '' } of ended) expect(refused).not.toContain('\n');
  // The damage has to be some of which part is noticed, part harmless.
  expect(ended.some(({ refused }) => refused !== undefined)).toBe(true);
  expect(ended.some(({ damaged = 0 }) => damaged > 0)).toBe(true);
}, 300_000);

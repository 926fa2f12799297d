import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { placeFolder } from '../../../src/node/volumes/content-folder.ts';
import { createTmpfs, mountPoints, unmount, type Tmpfs } from '../../../src/node/volumes/mounts.ts';

let parent: string;
let dir: string;
beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'keylet-folder-'));
  dir = path.join(parent, 'volume');
});
afterEach(async () => {
  expect((await mountPoints()).filter(point => point.startsWith(parent))).toEqual([]);
  await rm(parent, { recursive: true, force: true });
});
const failing: Tmpfs = () => Promise.reject(new Error('no memory'));
const modeOf = (folder: string): string => (statSync(folder).mode & 0o7777).toString(8);

describe('placeFolder()', () => {
  test('takes away again what it made', async () => {
    const undo = await placeFolder(dir, { medium: createTmpfs(), fsGroup: 3000 });
    expect([modeOf(dir), statSync(dir).gid]).toEqual(['3777', 3000]);
    expect(await mountPoints()).toContain(dir);
    writeFileSync(path.join(dir, 'file'), 'x');
    await undo();
    expect(readdirSync(parent)).toEqual([]);
  });

  test('leaves nothing when the mount fails', async () => {
    await expect(placeFolder(dir, { medium: failing, fsGroup: undefined })).rejects.toThrow(
      'no memory',
    );
    expect(readdirSync(parent)).toEqual([]);
  });

  test('does not take away what was there before', async () => {
    mkdirSync(dir);
    writeFileSync(path.join(dir, 'file'), 'x');
    const undo = await placeFolder(dir, { medium: undefined, fsGroup: undefined });
    expect(modeOf(dir)).toBe('777');
    await undo();
    expect(existsSync(path.join(dir, 'file'))).toBe(true);
  });
});

test('createTmpfs() makes mounts that never go to swap, where the kernel can', async () => {
  mkdirSync(dir);
  const tmpfs = createTmpfs();
  await tmpfs(dir, { mode: '1777', sizeBytes: 1024 * 1024 });
  const line = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .find(each => each.includes(dir));
  await unmount(dir);
  expect(line).toMatch(/ tmpfs .*size=1024k/);
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 4)) expect(line).toContain('noswap');
});

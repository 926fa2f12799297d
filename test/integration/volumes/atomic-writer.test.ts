import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAtomicWriter } from '../../../src/node/volumes/atomic-writer.ts';
import { createTmpfs, unmount } from '../../../src/node/volumes/mounts.ts';
import type { Payload } from '../../../src/node/volumes/payload.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'keylet-writer-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const files = (contents: Record<string, string>, mode = 0o644): Payload =>
  new Map(
    Object.entries(contents).map(([name, text]) => [name, { data: Buffer.from(text), mode }]),
  );
const read = (name: string): string => readFileSync(path.join(dir, name), 'utf8');
const versions = (): string[] => readdirSync(dir).filter(name => /^\.\.\d/.test(name));

describe('createAtomicWriter(), as root', () => {
  test('lets the group of fsGroup read', () => {
    createAtomicWriter(dir, { gid: 2000 }).write(files({ 'sub/key': 'x' }, 0o400));
    const file = statSync(path.join(dir, 'sub/key'));
    expect([file.mode & 0o7777, file.uid, file.gid]).toEqual([0o440, 0, 2000]);
    const folder = statSync(path.join(dir, 'sub'));
    expect([folder.mode & 0o7777, folder.gid]).toEqual([0o2755, 2000]);
  });

  test('keeps what is published when the tmpfs is full, and goes on when there is room', async () => {
    await createTmpfs()(dir, { mode: '1777', sizeBytes: 64 * 1024 });
    try {
      const writer = createAtomicWriter(dir);
      writer.write(files({ a: 'first', big: 'x'.repeat(24 * 1024) }));
      expect(() => writer.write(files({ a: 'second', big: 'y'.repeat(60 * 1024) }))).toThrow(
        /^write .*\/big: no space left on device$/,
      );
      expect(read('a')).toBe('first');
      expect(readdirSync(dir).toSorted()).toEqual(
        ['..data', versions()[0] ?? '', 'a', 'big'].toSorted(),
      );
      expect(writer.write(files({ a: 'third', big: 'z'.repeat(24 * 1024) }))).toBe(true);
      expect(read('a')).toBe('third');
    } finally {
      await unmount(dir);
    }
  });
});

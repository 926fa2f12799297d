import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Pod } from '../api/core/v1/pod.ts';
import { makeFolders } from './file-modes.ts';
import { writeHostsFile } from './pods/hosts-file.ts';
import { makeTerminationMessageFile } from './pods/termination-message.ts';
import { emptyDirPlugin } from './volumes/empty-dir.ts';
import { hostPathPlugin } from './volumes/host-path.ts';
import { makeNestedMountPoints } from './volumes/nested-mount-points.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'u' },
  spec: {
    containers: [
      {
        name: 'c',
        volumeMounts: [
          { name: 'outer', mountPath: '/outer' },
          { name: 'inner', mountPath: '/outer/a/b' },
        ],
      },
    ],
  },
};
const tmpfs = (): Promise<void> => Promise.resolve();

let dir: string;
let umask: number;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'keylet-modes-'));
  umask = process.umask(0o077);
});
afterEach(async () => {
  process.umask(umask);
  await rm(dir, { recursive: true, force: true });
});
const modeOf = async (file: string): Promise<string> =>
  ((await stat(file)).mode & 0o7777).toString(8);
const at = (...names: string[]): string => path.join(dir, ...names);
const hostPath = (type: string, name: string) =>
  hostPathPlugin.setUp({
    pod,
    volume: { name: 'v', hostPath: { path: at(name), type } },
    path: at(name),
    mounted: false,
    tmpfs,
  });

describe('under a strict umask', () => {
  test('every container can write its termination message', async () => {
    expect(await modeOf(await makeTerminationMessageFile(dir, 'c', 0))).toBe('666');
  });

  test('every user can read the hosts file', async () => {
    expect(await modeOf(await writeHostsFile(dir, pod, ['10.0.0.1']))).toBe('644');
  });

  test('every user can pass through the mount points below a volume', async () => {
    await makeNestedMountPoints(dir, 'outer', pod);
    expect([await modeOf(at('a')), await modeOf(at('a/b'))]).toEqual(['755', '755']);
  });

  test('what a hostPath makes has the modes that Kubernetes documents', async () => {
    await hostPath('DirectoryOrCreate', 'x/y');
    await hostPath('FileOrCreate', 'file');
    expect([await modeOf(at('x')), await modeOf(at('x/y')), await modeOf(at('file'))]).toEqual([
      '755',
      '755',
      '644',
    ]);
  });

  test('an emptyDir is open to all', async () => {
    const volume = { name: 'v', emptyDir: {} };
    await emptyDirPlugin.setUp({ pod, volume, path: at('empty'), mounted: false, tmpfs });
    expect(await modeOf(at('empty'))).toBe('777');
  });
});

test('makeFolders() leaves the mode of a folder that exists', async () => {
  await makeFolders(at('old'), 0o700);
  await makeFolders(at('old/new'), 0o755);
  expect([await modeOf(at('old')), await modeOf(at('old/new'))]).toEqual(['700', '755']);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConfigMap } from '../../../src/api/core/v1/configmap.ts';
import type { Pod, Volume, VolumeMount } from '../../../src/api/core/v1/pod.ts';
import type { Secret } from '../../../src/api/core/v1/secret.ts';
import { createClient } from '../../../src/client/http-client.ts';
import {
  NotFoundReference,
  type ReferenceChange,
  type References,
} from '../../../src/node/references/references.ts';
import { createTmpfs, mountPoints, unmount } from '../../../src/node/volumes/mounts.ts';
import { bindSubPath } from '../../../src/node/volumes/sub-path.ts';
import {
  createVolumeManager,
  VolumeSetupError,
  type VolumeManager,
} from '../../../src/node/volumes/volume-manager.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
// Nobody listens there: only tokens would ask.
const client = createClient({ server: 'https://127.0.0.1:1' });

let dataDir: string;
let volumes: VolumeManager;
let cluster: ReturnType<typeof objects>;
const started = new Set<string>();

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-volumes-'));
  cluster = objects();
  volumes = open();
});
afterEach(async () => {
  for (const uid of started) await volumes.unmountAll(uid);
  started.clear();
  await volumes.close();
  expect((await mountPoints()).filter(point => point.startsWith(dataDir))).toEqual([]);
  await rm(dataDir, { recursive: true, force: true });
});

const open = (): VolumeManager =>
  createVolumeManager({
    dataDir,
    references: cluster.references,
    client,
    recursiveReadOnlyMounts: false,
    log: silent,
  });

/** The secrets and configMaps of a cluster, as a test sets them. */
function objects() {
  const secrets = new Map<string, Secret>();
  const configMaps = new Map<string, ConfigMap>();
  const listeners: ((change: ReferenceChange) => void)[] = [];
  const changed = (kind: 'Secret' | 'ConfigMap', name: string): void => {
    for (const listener of listeners)
      listener({ kind, namespace: 'default', name, podUids: [...started] });
  };
  const references: References = {
    registerPod() {},
    unregisterPod() {},
    async getSecret(_, name) {
      const found = secrets.get(name);
      if (found === undefined) throw new NotFoundReference('Secret', name);
      return found;
    },
    async getConfigMap(_, name) {
      const found = configMaps.get(name);
      if (found === undefined) throw new NotFoundReference('ConfigMap', name);
      return found;
    },
    onChange: listener => void listeners.push(listener),
  };
  return {
    references,
    secret(name: string, contents: Record<string, string> | undefined) {
      if (contents === undefined) secrets.delete(name);
      else {
        const data = Object.fromEntries(
          Object.entries(contents).map(([key, text]) => [
            key,
            Buffer.from(text).toString('base64'),
          ]),
        );
        secrets.set(name, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data });
      }
      changed('Secret', name);
    },
    configMap(name: string, data: Record<string, string>) {
      configMaps.set(name, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
      changed('ConfigMap', name);
    },
  };
}

const container = (mounts: VolumeMount[]): Pod['spec']['containers'][number] => ({
  name: 'c',
  volumeMounts: mounts,
});
function podWith(
  list: Volume[],
  { uid = 'uid-1', fsGroup }: { uid?: string; fsGroup?: number } = {},
): Pod {
  started.add(uid);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', uid, labels: { app: 'one' } },
    spec: {
      ...(fsGroup === undefined ? {} : { securityContext: { fsGroup } }),
      volumes: list,
      containers: [container(list.map(({ name }) => ({ name, mountPath: `/${name}` })))],
    },
  };
}
const at = (kind: string, ...rest: string[]): string =>
  path.join(dataDir, 'pods/uid-1/volumes', `kubernetes.io~${kind}`, ...rest);
const modeOf = (file: string): number => statSync(file).mode & 0o7777;
const text = (file: string): string => readFileSync(file, 'utf8');
const settled = (): Promise<void> => volumes.refreshAll();
async function failuresOf(pod: Pod): Promise<VolumeSetupError['failures']> {
  try {
    await volumes.mountAll(pod);
    return [];
  } catch (error) {
    if (error instanceof VolumeSetupError) return error.failures;
    throw error;
  }
}

describe('a secret volume', () => {
  const volume: Volume = { name: 'foo', secret: { secretName: 'mysecret' } };

  test('is a tmpfs with decoded files, 0644 by default', async () => {
    cluster.secret('mysecret', { username: 'admin', password: '1f2d1e2e67df' });
    await volumes.mountAll(podWith([volume]));
    expect(await mountPoints()).toContain(at('secret', 'foo'));
    expect(modeOf(at('secret', 'foo'))).toBe(0o1777);
    expect(text(at('secret', 'foo/password'))).toBe('1f2d1e2e67df');
    expect(modeOf(at('secret', 'foo/username'))).toBe(0o644);
  });

  test('has the modes and paths that its items say, and no other key', async () => {
    cluster.secret('mysecret', { username: 'admin', password: 'p' });
    const items = [
      { key: 'username', path: 'my-group/my-username', mode: 0o777 },
      { key: 'username', path: 'again' },
    ];
    await volumes.mountAll(
      podWith([{ name: 'foo', secret: { secretName: 'mysecret', items, defaultMode: 0o400 } }]),
    );
    expect(modeOf(at('secret', 'foo/my-group/my-username'))).toBe(0o777);
    expect(modeOf(at('secret', 'foo/again'))).toBe(0o400);
    expect(readdirSync(at('secret', 'foo')).filter(name => !name.startsWith('..'))).toEqual([
      'again',
      'my-group',
    ]);
  });

  test('is readable by the group of fsGroup', async () => {
    cluster.secret('mysecret', { key: 'x' });
    const strict: Volume = { name: 'foo', secret: { secretName: 'mysecret', defaultMode: 0o400 } };
    await volumes.mountAll(podWith([strict], { fsGroup: 3000 }));
    expect(modeOf(at('secret', 'foo/key'))).toBe(0o440);
    expect(statSync(at('secret', 'foo/key')).gid).toBe(3000);
    expect([modeOf(at('secret', 'foo')), statSync(at('secret', 'foo')).gid]).toEqual([
      0o3777, 3000,
    ]);
  });

  test.each([
    { secret: { secretName: 'none' }, message: 'secret "none" not found' },
    {
      secret: { secretName: 'mysecret', items: [{ key: 'nope', path: 'x' }] },
      message: 'references non-existent secret key: nope',
    },
  ])('is not set up: $message', async ({ secret, message }) => {
    cluster.secret('mysecret', { key: 'x' });
    const pod = podWith([{ name: 'bad', secret }, volume]);
    expect(await failuresOf(pod)).toEqual([{ volume: 'bad', message }]);
    expect(await mountPoints()).not.toContain(at('secret', 'bad'));
    expect(text(at('secret', 'foo/key'))).toBe('x');
  });

  test('is set up empty where an optional secret or key is not there', async () => {
    cluster.secret('mysecret', { key: 'x' });
    const items = [{ key: 'nope', path: 'x' }];
    await volumes.mountAll(
      podWith([
        { name: 'a', secret: { secretName: 'none', optional: true } },
        { name: 'b', secret: { secretName: 'mysecret', items, optional: true } },
      ]),
    );
    for (const name of ['a', 'b'])
      expect(readdirSync(at('secret', name)).filter(each => !each.startsWith('..'))).toEqual([]);
    cluster.secret('none', { late: 'here' });
    await settled();
    expect(text(at('secret', 'a/late'))).toBe('here');
  });

  test('follows its secret, and keeps its files when that goes', async () => {
    const failures: unknown[] = [];
    volumes.onRefreshFailed((_, failure) => failures.push(failure));
    cluster.secret('mysecret', { key: 'old' });
    await volumes.mountAll(podWith([volume]));
    cluster.secret('mysecret', { key: 'new', more: 'x' });
    await settled();
    expect([text(at('secret', 'foo/key')), text(at('secret', 'foo/more'))]).toEqual(['new', 'x']);
    expect(failures).toEqual([]);
    cluster.secret('mysecret', undefined);
    await settled();
    expect(text(at('secret', 'foo/key'))).toBe('new');
    expect(failures).toContainEqual({ volume: 'foo', message: 'secret "mysecret" not found' });
  });

  test.each([
    [
      'a name too long',
      'x'.repeat(256),
      'invalid path: filenames must be less than or equal to 255 characters',
    ],
    [
      'a path too long',
      'x/'.repeat(2048) + 'y',
      'invalid path: must be less than or equal to 4096 characters',
    ],
  ])('is not set up, again and again, and leaves nothing: %s', async (_, target, message) => {
    cluster.secret('mysecret', { key: 'x' });
    const items = [{ key: 'key', path: target }];
    const pod = podWith([{ name: 'foo', secret: { secretName: 'mysecret', items } }]);
    for (const _again of [1, 2]) {
      expect(await failuresOf(pod)).toEqual([{ volume: 'foo', message }]);
      expect(await mountPoints()).not.toContain(at('secret', 'foo'));
      expect(readdirSync(at('secret'))).toEqual([]);
    }
  });

  test('is not set up where a key is a file and a folder, until it is no more', async () => {
    cluster.secret('mysecret', { a: 'file' });
    cluster.secret('other', { b: 'below' });
    const sources = [
      { secret: { name: 'mysecret' } },
      { secret: { name: 'other', items: [{ key: 'b', path: 'a/b' }] } },
    ];
    const pod = podWith([{ name: 'foo', projected: { sources } }]);
    const [failure] = await failuresOf(pod);
    expect(failure?.message).toMatch(/^mkdir .*\/a: not a directory$/);
    expect(await mountPoints()).not.toContain(at('projected', 'foo'));
    cluster.secret('mysecret', { c: 'file' });
    await volumes.mountAll(pod);
    expect([text(at('projected', 'foo/c')), text(at('projected', 'foo/a/b'))]).toEqual([
      'file',
      'below',
    ]);
    // Once it is there, a clash leaves it as it is.
    cluster.secret('mysecret', { a: 'file', c: 'newer' });
    await settled();
    expect([text(at('projected', 'foo/c')), text(at('projected', 'foo/a/b'))]).toEqual([
      'file',
      'below',
    ]);
  });

  test('empties when its optional secret goes, and fills when that comes back', async () => {
    cluster.secret('mysecret', { key: 'x', other: 'y' });
    const items = [{ key: 'key', path: 'key' }];
    await volumes.mountAll(
      podWith([
        { name: 'a', secret: { secretName: 'mysecret', optional: true } },
        { name: 'b', secret: { secretName: 'mysecret', optional: true, items } },
      ]),
    );
    const names = (name: string): string[] =>
      readdirSync(at('secret', name)).filter(each => !each.startsWith('..'));
    const seen: unknown[] = [[names('a'), names('b')]];
    for (const contents of [undefined, { other: 'z' }, { key: 'back' }]) {
      cluster.secret('mysecret', contents);
      await settled();
      seen.push([names('a'), names('b')]);
    }
    expect(seen).toEqual([
      [['key', 'other'], ['key']],
      [[], []],
      [['other'], []],
      [['key'], ['key']],
    ]);
    expect(text(at('secret', 'b/key'))).toBe('back');
  });

  test('shows only whole objects: the newest of many changes, in each of many volumes', async () => {
    cluster.secret('mysecret', { a: '0', b: '0' });
    const many = Array.from({ length: 60 }, (_, i): Volume => ({
      name: `v${i}`,
      secret: { secretName: 'mysecret', defaultMode: i % 2 === 0 ? 0o400 : 0o444 },
    }));
    await volumes.mountAll(podWith(many));
    for (let n = 1; n <= 100; n += 1) cluster.secret('mysecret', { a: String(n), b: String(n) });
    await settled();
    for (const { name } of many) {
      expect(text(at('secret', name, 'a')) + text(at('secret', name, 'b'))).toBe('100100');
      // The version before is gone soon, and nothing else is there.
      await vi.waitFor(() => expect(readdirSync(at('secret', name))).toHaveLength(4));
    }
    expect(modeOf(at('secret', 'v1/a'))).toBe(0o444);
  });

  test('belongs to the users that it names, whatever the group', async () => {
    cluster.secret('mysecret', { a: '1', b: '2' });
    const items = [
      { key: 'a', path: 'a' },
      { key: 'b', path: 'b', user: 0, mode: 0o600 },
    ];
    const secret = { secretName: 'mysecret', defaultUser: 1234, defaultMode: 0o400, items };
    const sources = [{ secret: { name: 'mysecret', items } }];
    await volumes.mountAll(
      podWith(
        [
          { name: 'foo', secret },
          { name: 'bar', projected: { sources, defaultUser: 99 } },
        ],
        { fsGroup: 3000 },
      ),
    );
    const facts = (file: string): unknown[] => {
      const { uid, gid } = statSync(file);
      return [uid, gid, modeOf(file).toString(8)];
    };
    expect(facts(at('secret', 'foo/a'))).toEqual([1234, 3000, '440']);
    expect(facts(at('secret', 'foo/b'))).toEqual([0, 3000, '640']);
    expect(facts(at('projected', 'bar/a'))).toEqual([99, 3000, '644']);
    expect(facts(at('projected', 'bar/b'))).toEqual([0, 3000, '640']);
  });

  test('has a place for what its containers mount below it', async () => {
    cluster.secret('mysecret', { key: 'x' });
    const pod = podWith([volume, { name: 'scratch', emptyDir: {} }]);
    pod.spec.containers = [
      container([
        { name: 'foo', mountPath: '/etc/foo' },
        { name: 'scratch', mountPath: '/etc/foo/in/ner' },
      ]),
    ];
    await volumes.mountAll(pod);
    expect(statSync(at('secret', 'foo/in/ner')).isDirectory()).toBe(true);
    cluster.secret('mysecret', { key: 'y', in: 'hidden by the place' });
    await settled();
    expect(text(at('secret', 'foo/key'))).toBe('y');
    expect(statSync(at('secret', 'foo/in/ner')).isDirectory()).toBe(true);
    // An ephemeral container comes later.
    const ephemeral = { ...container([]), name: 'e', targetContainerName: 'c' };
    ephemeral.volumeMounts = [
      { name: 'foo', mountPath: '/f' },
      { name: 'scratch', mountPath: '/f/late' },
    ];
    await volumes.mountAll({ ...pod, spec: { ...pod.spec, ephemeralContainers: [ephemeral] } });
    expect(statSync(at('secret', 'foo/late')).isDirectory()).toBe(true);
  });

  test('is found and gone on with by the next agent', async () => {
    cluster.secret('mysecret', { key: 'old' });
    const pod = podWith([volume]);
    await volumes.mountAll(pod);
    await volumes.close();
    cluster.secret('mysecret', { key: 'new' });
    volumes = open();
    expect(await volumes.podUidsOnDisk()).toEqual(['uid-1']);
    await volumes.mountAll(pod);
    expect(text(at('secret', 'foo/key'))).toBe('new');
    const mounts = (await mountPoints()).filter(point => point === at('secret', 'foo'));
    expect(mounts).toHaveLength(1);
  });

  test('that was unmounted is mounted anew before anything is written, and whoever asks is told', async () => {
    const remounted: string[] = [];
    volumes.onRemounted((pod, volume) => remounted.push(`${pod.metadata.name} ${volume}`));
    cluster.secret('mysecret', { key: 'old' });
    const pod = podWith([{ name: 'foo', secret: { secretName: 'mysecret' } }]);
    expect(await volumes.mountAll(pod)).toEqual(['foo']);
    expect(await volumes.mountAll(pod)).toEqual([]);

    await unmount(at('secret', 'foo'));
    cluster.secret('mysecret', { key: 'new' });
    await vi.waitFor(() => expect(text(at('secret', 'foo/key'))).toBe('new'));
    expect(remounted).toEqual(['p foo']);

    await unmount(at('secret', 'foo'));
    expect(await volumes.mountAll(pod)).toEqual(['foo']);
    expect(text(at('secret', 'foo/key'))).toBe('new');

    await unmount(at('secret', 'foo'));
    expect(readdirSync(at('secret', 'foo'))).toEqual([]);
  });

  test('that no container mounts is not waited for', async () => {
    const pod = podWith([{ name: 'unused', secret: { secretName: 'none' } }]);
    pod.spec.containers = [container([])];
    expect(await failuresOf(pod)).toEqual([]);
  });
});

describe('other volumes', () => {
  test('projected: the later source wins, all failures are told', async () => {
    cluster.secret('mysecret', { key: 'secret', own: 's' });
    cluster.configMap('config', { key: 'config' });
    const sources = [
      { secret: { name: 'mysecret' } },
      { configMap: { name: 'config' } },
      { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    ];
    await volumes.mountAll(podWith([{ name: 'all', projected: { sources } }]));
    expect(await mountPoints()).toContain(at('projected', 'all'));
    expect(['key', 'own', 'labels'].map(name => text(at('projected', 'all', name)))).toEqual([
      'config',
      's',
      'app="one"',
    ]);
    const none = { sources: [{ secret: { name: 'a' } }, { configMap: { name: 'b' } }] };
    expect(await failuresOf(podWith([{ name: 'none', projected: none }]))).toEqual([
      { volume: 'none', message: '[secret "a" not found, configmap "b" not found]' },
    ]);
  });

  test('downwardAPI: follows the labels of the pod', async () => {
    const items = [{ path: 'app', fieldRef: { fieldPath: "metadata.labels['app']" } }];
    const pod = podWith([{ name: 'down', downwardAPI: { items } }]);
    await volumes.mountAll(pod);
    expect(text(at('downward-api', 'down/app'))).toBe('one');
    await volumes.mountAll({ ...pod, metadata: { ...pod.metadata, labels: { app: 'two' } } });
    expect(text(at('downward-api', 'down/app'))).toBe('two');
  });

  test('emptyDir: open to all, on disk or in memory of a given size', async () => {
    await volumes.mountAll(
      podWith([
        { name: 'disk', emptyDir: {} },
        { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      ]),
    );
    expect([modeOf(at('empty-dir', 'disk')), modeOf(at('empty-dir', 'memory'))]).toEqual([
      0o777, 0o1777,
    ]);
    expect(await mountPoints()).toContain(at('empty-dir', 'memory'));
    expect(() =>
      writeFileSync(at('empty-dir', 'memory/big'), Buffer.alloc(2 * 1024 * 1024)),
    ).toThrow('ENOSPC');
  });

  test('emptyDir: belongs to fsGroup, and one in memory keeps its sticky bit', async () => {
    const list = [
      { name: 'disk', emptyDir: {} },
      { name: 'memory', emptyDir: { medium: 'Memory' } },
    ];
    const pod = podWith(list);
    pod.spec.securityContext = { fsGroup: 2000 };
    await volumes.mountAll(pod);
    const found = list.map(({ name }) => statSync(at('empty-dir', name)));
    expect(found.map(({ mode, gid }) => [mode & 0o7777, gid])).toEqual([
      [0o2777, 2000],
      [0o3777, 2000],
    ]);
  });

  test('hostPath: must be what its type says', async () => {
    const pod = podWith([
      { name: 'here', hostPath: { path: dataDir, type: 'Directory' } },
      { name: 'file', hostPath: { path: dataDir, type: 'File' } },
      { name: 'made', hostPath: { path: path.join(dataDir, 'x/y'), type: 'DirectoryOrCreate' } },
    ]);
    expect(await failuresOf(pod)).toEqual([
      { volume: 'file', message: `hostPath type check failed: ${dataDir} is not a file` },
    ]);
    expect(statSync(path.join(dataDir, 'x/y')).isDirectory()).toBe(true);
  });

  test('a kind that there is no plug-in for is refused by name', async () => {
    const nfs = { server: 's', path: '/' };
    expect(await failuresOf(podWith([{ name: 'far', nfs }]))).toEqual([
      { volume: 'far', message: 'no volume plugin matched: Keylet has none for nfs' },
    ]);
  });
});

describe('containerMounts()', () => {
  const list: Volume[] = [
    { name: 'secret', secret: { secretName: 'mysecret' } },
    { name: 'scratch', emptyDir: {} },
  ];
  const mountsOf = async (mounts: VolumeMount[], values: Record<string, string> = {}) => {
    const pod = podWith(list);
    await volumes.mountAll(pod);
    return volumes.containerMounts(pod, container(mounts), each =>
      each.replaceAll(/\$\((\w+)\)/g, (written, name: string) => values[name] ?? written),
    );
  };
  beforeEach(() => cluster.secret('mysecret', { key: 'x' }));

  test('makes what comes from a secret read-only, whatever the mount says', async () => {
    const mounts = await mountsOf([
      { name: 'secret', mountPath: '/etc/foo', readOnly: false },
      { name: 'scratch', mountPath: 'tmp' },
    ]);
    expect(mounts).toEqual([
      {
        containerPath: '/etc/foo',
        hostPath: at('secret', 'secret'),
        readonly: true,
        propagation: 'PROPAGATION_PRIVATE',
        recursiveReadOnly: false,
      },
      {
        containerPath: '/tmp',
        hostPath: at('empty-dir', 'scratch'),
        readonly: false,
        propagation: 'PROPAGATION_PRIVATE',
        recursiveReadOnly: false,
      },
    ]);
  });

  test('binds a sub-path, anew for each container', async () => {
    const [first] = await mountsOf([{ name: 'secret', mountPath: '/k', subPath: 'key' }]);
    expect(text(first?.hostPath ?? '')).toBe('x');
    cluster.secret('mysecret', { key: 'y' });
    await settled();
    expect(text(first?.hostPath ?? '')).toBe('x');
    const [second] = await mountsOf([{ name: 'secret', mountPath: '/k', subPath: 'key' }]);
    expect(text(second?.hostPath ?? '')).toBe('y');
  });

  test('expands subPathExpr and makes what is not there', async () => {
    const mount = { name: 'scratch', mountPath: '/s', subPathExpr: '$(POD)/logs' };
    await mountsOf([mount], { POD: 'p1' });
    // Whoever the container runs as may write there, as in the volume itself.
    expect(modeOf(at('empty-dir', 'scratch/p1/logs'))).toBe(0o777);
    await expect(mountsOf([mount])).rejects.toThrow(/^missing value for POD$/);
    await expect(
      mountsOf([{ ...mount, subPathExpr: '$(Z)/$(POD)/$(A)/$(Z)' }], { POD: 'p', A: '' }),
    ).rejects.toThrow(/^missing value for A, Z$/);
    await expect(mountsOf([mount], { POD: '../..' })).rejects.toThrow(
      "unable to provision SubPath `../../logs`: must not contain '..'",
    );
    await expect(mountsOf([mount], { POD: '/etc' })).rejects.toThrow(
      'error SubPath `/etc/logs` must not be an absolute path',
    );
  });

  test('does not follow a link out of the volume', async () => {
    await mountsOf([]);
    symlinkSync('/etc', at('empty-dir', 'scratch/out'));
    const mount = { name: 'scratch', mountPath: '/s' };
    await expect(mountsOf([{ ...mount, subPath: 'out' }])).rejects.toThrow(
      'failed to prepare subPath for volumeMount "scratch" of container "c"',
    );
    await expect(mountsOf([{ ...mount, subPath: 'out/made' }])).rejects.toThrow(
      'failed to create subPath directory for volumeMount "scratch" of container "c"',
    );
    expect(existsSync('/etc/made')).toBe(false);
  });

  test('binds a folder, a file in it, and a folder made for a key that is not there', async () => {
    cluster.secret('mysecret', { key: 'x' });
    const items = [{ key: 'key', path: 'deep/er/file' }];
    const pod = podWith([{ name: 'secret', secret: { secretName: 'mysecret', items } }]);
    const mounts = ['deep', 'deep/er/file', 'none'].map((subPath, i) => ({
      name: 'secret',
      mountPath: `/${i}`,
      subPath,
    }));
    pod.spec.containers = [container(mounts)];
    await volumes.mountAll(pod);
    const [folder, file, none] = (
      await volumes.containerMounts(pod, container(mounts), each => each)
    ).map(each => each.hostPath);
    expect(text(path.join(folder ?? '', 'er/file'))).toBe('x');
    expect(text(file ?? '')).toBe('x');
    expect(readdirSync(none ?? '')).toEqual([]);
    cluster.secret('mysecret', { key: 'y' });
    await settled();
    expect([text(file ?? ''), text(at('secret', 'secret/deep/er/file'))]).toEqual(['x', 'y']);
    const versions = (): string[] =>
      readdirSync(at('secret', 'secret')).filter(name => /^\.\.\d/.test(name));
    // One more change takes away what the first one left, but for what a container has.
    for (const contents of ['z', 'zz']) {
      cluster.secret('mysecret', { key: contents });
      await settled();
      await vi.waitFor(() => expect(versions()).toHaveLength(2));
    }
    expect(text(path.join(folder ?? '', 'er/file'))).toBe('x');
  });
});

test('unmountAll() leaves nothing, and can be called again', async () => {
  cluster.secret('mysecret', { key: 'x' });
  await volumes.mountAll(podWith([{ name: 'foo', secret: { secretName: 'mysecret' } }]));
  await volumes.unmountAll('uid-1');
  await volumes.unmountAll('uid-1');
  expect(await volumes.podUidsOnDisk()).toEqual([]);
  expect((await mountPoints()).filter(point => point.startsWith(dataDir))).toEqual([]);
});

test('unmountAll() waits for nobody who still uses a volume', async () => {
  cluster.secret('mysecret', { key: 'x' });
  await volumes.mountAll(podWith([{ name: 'foo', secret: { secretName: 'mysecret' } }]));
  const busy = spawn('sleep', ['60'], { cwd: at('secret', 'foo') });
  try {
    await once(busy, 'spawn');
    await volumes.unmountAll('uid-1');
    expect(await volumes.podUidsOnDisk()).toEqual([]);
    expect((await mountPoints()).filter(point => point.startsWith(dataDir))).toEqual([]);
  } finally {
    busy.kill();
  }
});

test('unmountAll() takes away what an agent before this one began and did not finish', async () => {
  podWith([], { uid: 'uid-1' });
  // Killed between making the folder, mounting it, writing, and binding a sub-path.
  mkdirSync(at('secret', 'made'), { recursive: true });
  for (const name of ['mounted', 'half']) {
    mkdirSync(at('secret', name), { recursive: true });
    await createTmpfs()(at('secret', name), { mode: '1777' });
  }
  mkdirSync(at('secret', 'half/..2026_01_01_00_00_00.1'));
  writeFileSync(at('secret', 'half/..2026_01_01_00_00_00.1/key'), 'x');
  symlinkSync('..2026_01_01_00_00_00.1', at('secret', 'half/..data_tmp'));
  const target = path.join(dataDir, 'pods/uid-1/volume-subpaths/half/c/0');
  await bindSubPath({
    volumePath: at('secret', 'half'),
    subPath: '..2026_01_01_00_00_00.1/key',
    target,
  });
  cluster.secret('mysecret', { key: 'y' });
  const list = ['made', 'mounted', 'half'].map(name => ({
    name,
    secret: { secretName: 'mysecret' },
  }));
  await volumes.mountAll(podWith(list));
  for (const { name } of list) {
    expect(text(at('secret', name, 'key'))).toBe('y');
    expect(readdirSync(at('secret', name))).toHaveLength(3);
  }
  await volumes.unmountAll('uid-1');
  expect(await volumes.podUidsOnDisk()).toEqual([]);
});

import {
  chmodSync,
  closeSync,
  fchmodSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Pod, Volume } from '../src/api/core/v1/pod.ts';
import type { Secret } from '../src/api/core/v1/secret.ts';
import { createClient } from '../src/client/http-client.ts';
import type { ReferenceChange, References } from '../src/node/references/references.ts';
import { createVolumeManager } from '../src/node/volumes/volume-manager.ts';
import { median, timed, type Row } from './measure.ts';

const rounds = 9;
const podUids = ['a', 'b', 'c', 'd'];
const volumesOfPod = 50;
const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** One secret in 200 volumes, without API and runtime: how long until all are written, and what else has to wait. */
export async function benchVolumes(): Promise<Row[]> {
  return [
    ...(await rotate({ keys: 1, bytes: 16 })),
    ...(await rotate({ keys: 100, bytes: 100 })),
    ...(await rotate({ keys: 1, bytes: 1024 * 1024 })),
  ];
}

interface Shape {
  readonly keys: number;
  readonly bytes: number;
}

async function rotate(shape: Shape): Promise<Row[]> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-bench-volumes-'));
  const cluster = oneSecret(shape);
  const volumes = createVolumeManager({
    dataDir,
    references: cluster.references,
    client: createClient({ server: 'https://127.0.0.1:1' }),
    recursiveReadOnlyMounts: false,
    log,
  });
  try {
    for (const uid of podUids) await volumes.mountAll(podOf(uid));
    const all: number[] = [];
    const held: number[] = [];
    const bare: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const watch = watchLoop();
      all.push(
        await timed(async () => {
          cluster.change(round);
          await volumes.refreshAll();
        }),
      );
      held.push(await watch.longestMs());
      bare.push(await timed(() => Promise.resolve(bareCalls(dataDir, shape))));
    }
    const what = `one secret of ${shape.keys} × ${shape.bytes} bytes in ${podUids.length * volumesOfPod} volumes`;
    return [
      {
        what: `${what}, until all are written`,
        value: median(all),
        unit: 'ms',
        limit: { what: 'the same calls of the file system in a row', value: median(bare) },
      },
      { what: `${what}, longest wait of anything else`, value: median(held), unit: 'ms' },
    ];
  } finally {
    for (const uid of podUids) await volumes.unmountAll(uid);
    await volumes.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function oneSecret({ keys, bytes }: Shape) {
  const listeners: ((change: ReferenceChange) => void)[] = [];
  let secret: Secret;
  const set = (n: number): void => {
    const value = Buffer.alloc(bytes, `${n} `).toString('base64');
    const data = Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, value]));
    secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data };
  };
  set(0);
  const references: References = {
    registerPod: () => undefined,
    unregisterPod: () => undefined,
    getSecret: () => Promise.resolve(secret),
    getConfigMap: () => Promise.reject(new Error('there is none')),
    onChange: listener => void listeners.push(listener),
  };
  return {
    references,
    change(n: number) {
      set(n);
      for (const listener of listeners)
        listener({ kind: 'Secret', namespace: 'default', name: 's', podUids });
    },
  };
}

function podOf(uid: string): Pod {
  const volumes = Array.from({ length: volumesOfPod }, (_, i): Volume => ({
    name: `v${i}`,
    secret: { secretName: 's' },
  }));
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: uid, namespace: 'default', uid },
    spec: { volumes, containers: [{ name: 'c', volumeMounts }] },
  };
}

/** How long a timer that is due at once had to wait. */
function watchLoop(): { longestMs(): Promise<number> } {
  let last = performance.now();
  let longest = 0;
  const look = (): void => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const timer = setInterval(look, 1);
  return {
    async longestMs() {
      await new Promise(resolve => setTimeout(resolve, 2));
      clearInterval(timer);
      return longest;
    },
  };
}

/** What a rotation of all volumes takes of the kernel, and nothing else: the volumes stay as they are. */
function bareCalls(dataDir: string, { keys, bytes }: Shape): void {
  const data = Buffer.alloc(bytes, 'x');
  const names = Array.from({ length: keys }, (_, i) => `k${i}`);
  for (const uid of podUids) {
    for (let i = 0; i < volumesOfPod; i += 1) {
      const dir = path.join(dataDir, 'pods', uid, 'volumes/kubernetes.io~secret', `v${i}`);
      const next = path.join(dir, '..bare');
      mkdirSync(next);
      chmodSync(next, 0o755);
      for (const name of names) {
        const fd = openSync(path.join(next, name), 'w', 0o600);
        writeSync(fd, data);
        fchmodSync(fd, 0o644);
        closeSync(fd);
      }
      // Published and taken back, so that the volume is as its writer left it.
      symlinkSync('..bare', path.join(dir, '..bare_link'));
      renameSync(path.join(dir, '..bare_link'), path.join(dir, '..bare_data'));
      for (const name of names) unlinkSync(path.join(next, name));
      rmdirSync(next);
      unlinkSync(path.join(dir, '..bare_data'));
    }
  }
}

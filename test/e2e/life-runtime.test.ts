import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Pod } from '../../src/api/core/v1/pod.ts';
import { startApiOnly } from '../support/api-only.ts';
import { eventually } from '../support/eventually.ts';
import { startKeylet, type Keylet } from '../support/keylet.ts';
import { machineOf, runtimeState } from '../support/machine-of.ts';
import { busyboxContainer, busyboxPod, eventsOf, secret, waitReady } from '../support/pods.ts';
import {
  asAfterBoot,
  containerdOf,
  killAndWait,
  parentOf,
  processOf,
} from '../support/runtime-processes.ts';

const hosts = ['--registry-hosts-dir', inject('registryHostsDir')];
let dataDir: string;
let keylet: Keylet;
let version = 0;

const value = (): string => `version-${version}`;
const rotate = async (by: { kubectl: Keylet['kubectl'] } = keylet): Promise<void> => {
  version += 1;
  await by.kubectl.apply(secret('s', { k: value() }));
};

/** Says which start this is, and holds what is asked of it in every way that a secret goes. */
const watched = (name: string, spec: object = {}): object =>
  busyboxPod(name, {
    spec: {
      terminationGracePeriodSeconds: 5,
      volumes: [
        { name: 's', secret: { secretName: 's' } },
        { name: 'kept', emptyDir: {} },
        { name: 'memory', emptyDir: { medium: 'Memory' } },
      ],
      initContainers: [
        busyboxContainer('init', {
          command: ['sh', '-c', 'echo init >> /kept/log'],
          volumeMounts: [{ name: 'kept', mountPath: '/kept' }],
        }),
      ],
      ...spec,
    },
    container: {
      command: [
        'sh',
        '-c',
        'echo main >> /kept/log; echo hello; touch /memory/x; trap "echo term >> /kept/log; exit 3" TERM; sleep 3600 & wait',
      ],
      env: [{ name: 'K', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
      livenessProbe: { exec: { command: ['true'] }, periodSeconds: 1, failureThreshold: 1 },
      volumeMounts: [
        { name: 's', mountPath: '/s' },
        { name: 'kept', mountPath: '/kept' },
        { name: 'memory', mountPath: '/memory' },
      ],
    },
  });

const podNamed = async (name: string): Promise<Pod> =>
  JSON.parse(await keylet.kubectl(`get pod ${name} -o json`)) as Pod;
const main = async (name: string) => (await podNamed(name)).status?.containerStatuses?.[0];
const idOf = async (name: string): Promise<string> =>
  ((await main(name))?.containerID ?? '').replace(/^.*:\/\//, '');
const sandboxOf = async (name: string): Promise<string> => {
  const { sandboxes } = await machineOf(dataDir, []);
  const of = sandboxes.filter(
    each => each.labels['io.kubernetes.pod.name'] === name && each.state === 'SANDBOX_READY',
  );
  expect(of).toHaveLength(1);
  return of[0]?.id ?? '';
};
const contentOnNode = async (name: string): Promise<string> => {
  const { uid = '' } = (await podNamed(name)).metadata;
  return readFile(path.join(dataDir, 'pods', uid, 'volumes/kubernetes.io~secret/s/k'), 'utf8');
};
const readiness = (): Promise<string> =>
  keylet.kubectl('get nodes -o', [
    'jsonpath={.items[0].status.conditions[?(@.type=="Ready")].status}',
  ]);

/** Once the runtime is back: the same containers go on, with all that can be done to them. */
async function goesOn(names: readonly string[], ids: readonly string[]): Promise<void> {
  for (const [i, name] of names.entries()) {
    await eventually(async () => {
      expect(await keylet.kubectl.sh(name, 'cat /s/k /kept/log')).toBe(`${value()}init\nmain\n`);
    });
    expect(await keylet.kubectl(`logs ${name} -c main`)).toBe('hello');
    expect(await main(name)).toMatchObject({ ready: true, restartCount: 0 });
    expect(await idOf(name)).toBe(ids[i]);
  }
  expect(await readiness()).toBe('True');
}

/** Once a pod was made anew: all of it, and of nothing else. */
async function madeAnew(name: string, log: string): Promise<void> {
  await eventually(async () =>
    expect(await main(name)).toMatchObject({ ready: true, restartCount: 1 }),
  );
  expect(await keylet.kubectl.sh(name, 'cat /kept/log')).toBe(log);
  expect(await keylet.kubectl.sh(name, 'echo $K; cat /s/k')).toBe(`${value()}\n${value()}`);
  const pod = await podNamed(name);
  expect(pod.status?.initContainerStatuses).toMatchObject([{ restartCount: 1, ready: true }]);
  expect(await keylet.kubectl.sh(name, 'cat /etc/hosts')).toContain(
    `${pod.status?.podIP}\t${name}`,
  );
  await sandboxOf(name);
}

async function haveTwoPods(): Promise<void> {
  await rotate();
  await keylet.kubectl.apply(watched('one'), watched('two'));
  await waitReady(keylet.kubectl, 'one');
  await waitReady(keylet.kubectl, 'two');
}

describe('with a containerd of its own', () => {
  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-life-'));
    keylet = await startKeylet({ dataDir, args: hosts });
    await haveTwoPods();
  });
  afterAll(async () => {
    await keylet.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  /** Every address that is taken is a pod's, and no sandbox that died has kept anything. */
  const allPodsHaveTheirNetwork = (): Promise<void> =>
    eventually(async () => {
      const { items } = JSON.parse(await keylet.kubectl('get pods -o json')) as { items: Pod[] };
      const live = items.filter(pod => pod.status?.phase === 'Running');
      const { leases, networked, sandboxes, shims } = await machineOf(dataDir, []);
      const ready = sandboxes.filter(each => each.state === 'SANDBOX_READY');
      expect(leases).toEqual(live.map(pod => pod.status?.podIP ?? '').toSorted());
      expect(networked).toEqual(ready.map(each => each.id).toSorted());
      expect(shims).toHaveLength(live.length);
    });

  test('that is killed: Keylet starts another, be it its own or one that it found, and the containers go on', async () => {
    const ids = await Promise.all(['one', 'two'].map(idOf));
    for (const adopted of [false, true]) {
      if (adopted) {
        await keylet.stop('SIGKILL');
        keylet = await startKeylet({ dataDir, args: hosts });
      }
      const containerd = await containerdOf(dataDir);
      await killAndWait([containerd]);
      await rotate();
      await eventually(async () => expect(await containerdOf(dataDir)).not.toBe(containerd));
      await goesOn(['one', 'two'], ids);
    }
  });

  test('that is killed together with Keylet: the containers go on', async () => {
    const ids = await Promise.all(['one', 'two'].map(idOf));
    await keylet.stop('SIGKILL');
    await killAndWait([await containerdOf(dataDir)]);
    keylet = await startKeylet({ dataDir, args: hosts });
    await goesOn(['one', 'two'], ids);
  });

  test('the process of a container is killed: that one starts anew', async () => {
    await keylet.kubectl.apply(watched('process'));
    await waitReady(keylet.kubectl, 'process');
    const sandbox = await sandboxOf('process');
    await killAndWait([await processOf(await idOf('process'))]);
    await eventually(async () =>
      expect(await main('process')).toMatchObject({
        ready: true,
        restartCount: 1,
        lastState: { terminated: { exitCode: 137 } },
      }),
    );
    expect(await keylet.kubectl.sh('process', 'cat /kept/log')).toBe('init\nmain\nmain\n');
    expect(await sandboxOf('process')).toBe(sandbox);
  });

  test('the pause process of a sandbox is killed: the pod is made anew, its containers end within their grace', async () => {
    await keylet.kubectl.apply(watched('pause'), watched('never', { restartPolicy: 'Never' }));
    await waitReady(keylet.kubectl, 'pause');
    await waitReady(keylet.kubectl, 'never');
    const sandboxes = [await sandboxOf('pause'), await sandboxOf('never')];
    await rotate();
    await killAndWait(await Promise.all(sandboxes.map(processOf)));
    await madeAnew('pause', 'init\nmain\nterm\ninit\nmain\n');
    const events = await eventsOf(keylet.kubectl, 'pause');
    expect(events).toContain(
      'Normal SandboxChanged: Pod sandbox changed, it will be killed and re-created.',
    );
    expect(events).toContain('Normal Killing: Stopping container main');
    await keylet.kubectl('wait pod/never --for=jsonpath={.status.phase}=Failed --timeout=30s');
    expect((await main('never'))?.state?.terminated).toMatchObject({ exitCode: 3 });
    expect(await eventsOf(keylet.kubectl, 'never')).not.toContain('SandboxChanged');
    await allPodsHaveTheirNetwork();
  });

  test('a shim is killed: the pod is made anew', async () => {
    await keylet.kubectl.apply(watched('shim'));
    await waitReady(keylet.kubectl, 'shim');
    const pause = await processOf(await sandboxOf('shim'));
    await killAndWait([await parentOf(pause)]);
    await madeAnew('shim', 'init\nmain\ninit\nmain\n');
    await allPodsHaveTheirNetwork();
  });

  test('the machine boots: pods run again, with the newest of their secrets, and nothing is left of before', async () => {
    await keylet.kubectl('delete pod process pause never shim');
    await keylet.kubectl.apply(watched('never', { restartPolicy: 'Never' }));
    await waitReady(keylet.kubectl, 'never');
    const { sandboxes } = await machineOf(dataDir, []);
    await keylet.stop('SIGKILL');
    await asAfterBoot(
      dataDir,
      sandboxes.map(each => each.id),
    );
    const api = await startApiOnly(dataDir);
    await rotate(api);
    await api.close();
    keylet = await startKeylet({ dataDir, args: hosts });
    for (const name of ['one', 'two']) {
      await madeAnew(name, 'init\nmain\ninit\nmain\n');
      expect(await main(name)).toMatchObject({
        lastState: { terminated: { exitCode: 255, reason: 'Unknown' } },
      });
      expect(await keylet.kubectl(`logs ${name} -c main --previous`)).toBe('hello');
    }
    await keylet.kubectl('wait pod/never --for=jsonpath={.status.phase}=Failed --timeout=30s');
    expect((await main('never'))?.state?.terminated).toMatchObject({ exitCode: 255 });
    await allPodsHaveTheirNetwork();
  });

  test('up --leave-pods, stop, start with other settings, kill, start with others: nothing restarts', async () => {
    await keylet.kubectl('delete pod --all');
    await keylet.kubectl.apply(watched('left'));
    await waitReady(keylet.kubectl, 'left');
    const ids = [await idOf('left')];
    await keylet.stop('SIGKILL');
    keylet = await startKeylet({ dataDir, args: [...hosts, '--leave-pods'] });
    expect(await keylet.stop('SIGTERM')).toBe(0);
    await expect(containerdOf(dataDir)).rejects.toThrow('No containerd');
    const api = await startApiOnly(dataDir);
    await rotate(api);
    await api.close();
    // containerd's own configuration is another then.
    keylet = await startKeylet({ dataDir });
    await goesOn(['left'], ids);
    await keylet.stop('SIGKILL');
    keylet = await startKeylet({ dataDir, args: hosts });
    await goesOn(['left'], ids);
  });
});

describe('with a containerd that it is given', () => {
  let home: string;
  let containerd: ChildProcess;
  let socket: string;
  const startContainerd = async (): Promise<void> => {
    containerd = spawn('containerd', ['--config', path.join(home, 'containerd/config.toml')], {
      stdio: 'ignore',
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    });
    await once(containerd, 'spawn');
  };
  beforeAll(async () => {
    // The configuration, the network and the pause image are those that Keylet makes.
    home = await mkdtemp(path.join(tmpdir(), 'keylet-life-'));
    await (await startKeylet({ dataDir: home, args: [...hosts, '--leave-pods'] })).stop();
    const state = await runtimeState(home);
    socket = path.join(state, 'containerd.sock');
    // The configuration names both folders by links that went with the Keylet that made it.
    await mkdir(state, { recursive: true });
    await symlink(path.join(home, 'containerd/root'), path.join(state, 'root'));
    await symlink(inject('registryHostsDir'), path.join(state, 'certs.d'));
    await startContainerd();
    dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-life-'));
    keylet = await startKeylet({ dataDir, args: ['--runtime-endpoint', socket] });
    await haveTwoPods();
  });
  afterAll(async () => {
    await keylet.stop();
    const ended = once(containerd, 'close');
    containerd.kill();
    await ended;
    // It ends what is left there.
    await (await startKeylet({ dataDir: home, args: hosts })).stop();
    await rm(home, { recursive: true, force: true });
    await rm(dataDir, { recursive: true, force: true });
  });

  test('that is killed: the node is not ready until it is back, secrets are rotated meanwhile, the containers go on', async () => {
    const ids = await Promise.all(['one', 'two'].map(idOf));
    const ended = once(containerd, 'close');
    containerd.kill('SIGKILL');
    await ended;
    await eventually(async () => expect(await readiness()).toBe('False'));
    expect(await keylet.kubectl('get nodes --no-headers')).toMatch(/ NotReady /);
    await rotate();
    await eventually(async () => expect(await contentOnNode('one')).toBe(value()));
    await keylet.kubectl.apply(watched('meanwhile'));
    await eventually(async () =>
      expect(await eventsOf(keylet.kubectl, 'meanwhile')).toContain(
        'node(s) had untolerated taint {node.kubernetes.io/not-ready: }',
      ),
    );
    expect((await keylet.kubectl.try('exec one -- true')).code).not.toBe(0);

    await startContainerd();
    await eventually(async () => expect(await readiness()).toBe('True'));
    await goesOn(['one', 'two'], ids);
    await waitReady(keylet.kubectl, 'meanwhile');
  });
});

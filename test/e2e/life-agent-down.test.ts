import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ContainerStatus, Pod } from '../../src/api/core/v1/pod.ts';
import { startApiOnly } from '../support/api-only.ts';
import { eventually } from '../support/eventually.ts';
import { startKeylet, type Keylet } from '../support/keylet.ts';
import { bridgeOf, machineOf } from '../support/machine-of.ts';
import { busyboxPod, eventsOf, secret } from '../support/pods.ts';
import { mustRun } from '../support/run.ts';
import { killAndWait, processOf } from '../support/runtime-processes.ts';

const args = ['--registry-hosts-dir', inject('registryHostsDir')];
let dataDir: string;
let keylet: Keylet;
let before: Map<string, Pod>;

const podNamed = async (name: string, namespace = 'default'): Promise<Pod> =>
  JSON.parse(await keylet.kubectl(`get pod ${name} -n ${namespace} -o json`)) as Pod;
const containerOf = async (name: string): Promise<ContainerStatus | undefined> =>
  (await podNamed(name)).status?.containerStatuses?.[0];
const was = (name: string): Pod => {
  const pod = before.get(name);
  if (pod === undefined) throw new Error(`There was no ${name}`);
  return pod;
};
const volumeOf = (pod: Pod, kind: string, volume: string): string =>
  path.join(dataDir, 'pods', pod.metadata.uid ?? '', `volumes/kubernetes.io~${kind}`, volume);

/** Runs until it is told to end, once: a second time it stays. */
const endsOnce = (name: string, restartPolicy: string, exitCode: number): object =>
  busyboxPod(name, {
    spec: { restartPolicy, volumes: [{ name: 'end', emptyDir: {} }] },
    container: {
      command: [
        'sh',
        '-c',
        `test -e /end/done && exec sleep 3600
         until test -e /end/now; do sleep 0.1; done
         touch /end/done; echo -n "words of ${name}" > /dev/termination-log; exit ${exitCode}`,
      ],
      volumeMounts: [{ name: 'end', mountPath: '/end' }],
    },
  });

const mounts = [
  { name: 'foo', mountPath: '/foo' },
  { name: 'late', mountPath: '/late' },
  { name: 'config', mountPath: '/config' },
  { name: 'about', mountPath: '/about' },
];
/** Everything that can change under a pod, and probes that were passed long ago. */
const steady = busyboxPod('steady', {
  metadata: { annotations: { mark: 'old' } },
  spec: {
    volumes: [
      { name: 'foo', secret: { secretName: 'foo' } },
      { name: 'late', projected: { sources: [{ secret: { name: 'late', optional: true } }] } },
      { name: 'config', configMap: { name: 'config' } },
      {
        name: 'about',
        downwardAPI: {
          items: [{ path: 'mark', fieldRef: { fieldPath: "metadata.annotations['mark']" } }],
        },
      },
    ],
  },
  container: {
    volumeMounts: mounts,
    // Each is asked once; what it found is forgotten only with the container.
    startupProbe: {
      exec: { command: ['sh', '-c', 'test ! -e /tmp/asked'] },
      periodSeconds: 1,
      failureThreshold: 1,
    },
    readinessProbe: { exec: { command: ['sh', '-c', 'touch /tmp/asked'] }, periodSeconds: 1000 },
  },
});

describe('what happens while the agent is down is seen when it is back', () => {
  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-life-'));
    keylet = await startKeylet({ dataDir, args });
    const { kubectl } = keylet;
    await kubectl('create namespace doomed');
    await kubectl('create configmap config --from-literal=k=old');
    const listens = { command: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'] };
    await kubectl.apply(
      secret('foo', { k: 'old' }),
      steady,
      busyboxPod('forced', { spec: { terminationGracePeriodSeconds: 3600 } }),
      busyboxPod('deleted', { spec: { terminationGracePeriodSeconds: 30 }, container: listens }),
      busyboxPod('in-namespace', { namespace: 'doomed' }),
      endsOnce('never-0', 'Never', 0),
      endsOnce('never-7', 'Never', 7),
      endsOnce('on-failure-0', 'OnFailure', 0),
      endsOnce('on-failure-7', 'OnFailure', 7),
      endsOnce('always-7', 'Always', 7),
    );
    await kubectl('wait pod --all -A --for=condition=Ready --timeout=60s');
    const { items } = JSON.parse(await kubectl('get pods -A -o json')) as { items: Pod[] };
    before = new Map(items.map(pod => [pod.metadata.name ?? '', pod]));
    await keylet.stop('SIGKILL');

    const told = items.filter(pod => pod.spec.volumes?.some(({ name }) => name === 'end') === true);
    for (const pod of told)
      await writeFile(path.join(volumeOf(pod, 'empty-dir', 'end'), 'now'), '');
    await eventually(async () => {
      const { containers } = await machineOf(dataDir, []);
      const ended = containers.filter(each => each.state === 'CONTAINER_EXITED');
      expect(ended).toHaveLength(told.length);
    });
    const api = await startApiOnly(dataDir);
    await api.kubectl('delete pod forced --force --grace-period=0');
    await api.kubectl('delete pod deleted --wait=false');
    await api.kubectl('delete namespace doomed --wait=false');
    await api.kubectl.apply(secret('foo', { k: 'new' }), secret('late', { k: 'come' }));
    await api
      .kubectl('create configmap config --from-literal=k=new --dry-run=client -o yaml')
      .then(yaml => api.kubectl('apply -f -', [], { input: yaml }));
    await api.kubectl('annotate pod steady mark=new --overwrite');
    await api.close();
    await leaveStale();
    keylet = await startKeylet({ dataDir, args });
  });
  afterAll(async () => {
    await keylet.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** What crashes of another day have left. */
  const orphan = 'c0ffee00-0000-4000-8000-000000000000';
  const goneSandbox = 'c0ffee00'.repeat(8);
  const leaveStale = async (): Promise<void> => {
    const pods = path.join(dataDir, 'pods');
    const half = path.join(pods, orphan, 'volumes/kubernetes.io~secret/half');
    await mkdir(half, { recursive: true });
    await mkdir(`/var/log/pods/default_half_${orphan}/main`, { recursive: true });
    await mustRun('mount', ['-t', 'tmpfs', 'tmpfs', half]);
    await symlink('..2020_01_01_00_00_00.1', path.join(half, '..data_tmp'));
    await writeFile(path.join(pods, 'README'), 'mine');
    const foo = volumeOf(was('steady'), 'secret', 'foo');
    await symlink('nowhere', path.join(foo, '..data_tmp'));
    await mkdir(path.join(foo, '..2020_01_01_00_00_00.1'));
    await writeFile(path.join(foo, '..2020_01_01_00_00_00.1/k'), 'stale');
    // A plug-in of CNI that was killed when it took a sandbox' network away.
    const bridge = await bridgeOf(dataDir);
    const comment = ['-m', 'comment', '--comment', `name: "${bridge}" id: "${goneSandbox}"`];
    const nat = (...words: string[]): Promise<string> =>
      mustRun('iptables', ['-t', 'nat', ...words]);
    await nat('-N', 'CNI-0123456789abcdef01234567');
    await nat(
      '-A',
      'POSTROUTING',
      '-s',
      '10.42.255.255',
      ...comment,
      '-j',
      'CNI-0123456789abcdef01234567',
    );
    await writeFile(`/var/lib/cni/results/${bridge}-${goneSandbox}-eth0`, '{}');
    const loopback = { result: { interfaces: [{ name: 'lo', sandbox: '/var/run/netns/gone' }] } };
    await writeFile(
      `/var/lib/cni/results/cni-loopback-${goneSandbox}-lo`,
      JSON.stringify(loopback),
    );
    // A machine that lost power may have files without their content.
    await writeFile(path.join(dataDir, 'keylet.json'), '');
  };

  test('pods that were deleted, by force, gracefully or with their namespace, are gone with all they had', async () => {
    const { kubectl } = keylet;
    await kubectl('wait --for=delete pod/deleted namespace/doomed --timeout=30s');
    const gone = ['forced', 'deleted', 'in-namespace'].map(name => was(name).metadata.uid ?? '');
    await eventually(async () => {
      const machine = await machineOf(dataDir, [...gone, orphan]);
      const there = [...machine.sandboxes, ...machine.containers].map(
        each => each.labels['io.kubernetes.pod.uid'],
      );
      expect(there.filter(uid => gone.includes(uid ?? ''))).toEqual([]);
      expect(machine.podFolders.filter(uid => [...gone, orphan].includes(uid))).toEqual([]);
      expect(machine.mounts.filter(point => point.startsWith(orphan))).toEqual([]);
      expect(machine.logFolders).toEqual([]);
      expect(machine.networked).not.toContain(goneSandbox);
      const noted = await readdir('/var/lib/cni/results');
      expect(noted.filter(each => each.includes(goneSandbox))).toEqual([]);
      expect(machine.podFolders).toContain('README');
    });
  });

  test.each([
    ['never-0', 'Succeeded', 0],
    ['never-7', 'Failed', 7],
    ['on-failure-0', 'Succeeded', 0],
  ])('a pod that ended: %s has %s with %i', async (name, phase, exitCode) => {
    await keylet.kubectl(`wait pod/${name} --for=jsonpath={.status.phase}=${phase} --timeout=30s`);
    expect(await containerOf(name)).toMatchObject({
      state: { terminated: { exitCode, message: `words of ${name}` } },
      restartCount: 0,
    });
  });

  test.each(['on-failure-7', 'always-7'])(
    'a container that is to run again does: %s',
    async name => {
      await eventually(async () => {
        expect(await containerOf(name)).toMatchObject({
          ready: true,
          restartCount: 1,
          lastState: { terminated: { exitCode: 7, message: `words of ${name}` } },
        });
      });
    },
  );

  test('a pod that runs on has the newest of everything, and was never unready', async () => {
    const script = 'cat /foo/k /late/k /config/k /about/mark; ls -A /foo';
    await eventually(async () => {
      const [content = '', ...names] = (await keylet.kubectl.sh('steady', script)).split('\n');
      expect(content.replace(/\.\.\d.*$/, '')).toBe('newcomenewnew');
      expect(names.filter(Boolean)).toEqual(['..data', 'k']);
    });
    const now = await podNamed('steady');
    expect(now.status?.containerStatuses).toEqual(was('steady').status?.containerStatuses);
    expect(now.status?.conditions).toEqual(was('steady').status?.conditions);
    const data = await readlink(path.join(volumeOf(now, 'secret', 'foo'), '..data'));
    expect((await readdir(volumeOf(now, 'secret', 'foo'))).toSorted()).toEqual(
      ['..data', data, 'k'].toSorted(),
    );
  });

  test('a mount that vanished under a pod is made anew, and who holds on to the old one is told of', async () => {
    const foo = volumeOf(was('steady'), 'secret', 'foo');
    const told = async (): Promise<string[]> =>
      (await eventsOf(keylet.kubectl, 'steady'))
        .split('\n')
        .filter(line => line.includes('VolumeRemounted'));
    const words =
      'Warning VolumeRemounted: Volume "foo" had been unmounted and was mounted anew: containers that run keep its old content until they are started again';
    expect(await told()).toEqual([]);
    // An agent that is there sees it when it has something to write.
    await mustRun('umount', ['-l', foo]);
    await keylet.kubectl.apply(secret('foo', { k: 'newer' }));
    await eventually(async () => expect(await told()).toEqual([words]));
    expect(await readFile(path.join(foo, 'k'), 'utf8')).toBe('newer');
    expect(await keylet.kubectl.sh('steady', 'cat /foo/k')).toBe('new');
    // One that comes sees it at once.
    await keylet.stop('SIGKILL');
    await mustRun('umount', ['-l', foo]);
    expect(await readdir(foo)).toEqual([]);
    keylet = await startKeylet({ dataDir, args });
    await eventually(async () => expect(await told()).toEqual([words, words]));
    const { containerID = '' } = (await containerOf('steady')) ?? {};
    await killAndWait([await processOf(containerID.replace(/^.*:\/\//, ''))]);
    await eventually(async () =>
      expect(await keylet.kubectl.sh('steady', 'cat /foo/k')).toBe('newer'),
    );
  });

  test('what was told of pods that ended stays told, with an agent that finds nothing of them left', async () => {
    await keylet.stop();
    keylet = await startKeylet({ dataDir, args });
    const ended = async (name: string) => (await containerOf(name))?.state?.terminated;
    expect(await ended('never-7')).toMatchObject({ exitCode: 7, message: 'words of never-7' });
    await eventually(async () => expect((await containerOf('steady'))?.restartCount).toBe(2));
    expect(await ended('never-7')).toMatchObject({ exitCode: 7, message: 'words of never-7' });
    expect(await keylet.kubectl('get pod never-7 never-0 --no-headers')).toMatch(
      /never-7 +0\/1 +Error +0 .*\nnever-0 +0\/1 +Completed +0 /,
    );
  });
});

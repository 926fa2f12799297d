import { readFile, rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Pod } from '../../src/api/core/v1/pod.ts';
import { startApiOnly } from '../support/api-only.ts';
import { eventually } from '../support/eventually.ts';
import { createMortals, type Mortals } from '../support/kill-at.ts';
import type { Keylet } from '../support/keylet.ts';
import type { Kubectl } from '../support/kubectl-cli.ts';
import { machineOf } from '../support/machine-of.ts';
import { busyboxContainer, busyboxPod, secret, waitReady } from '../support/pods.ts';

const args = ['--registry-hosts-dir', inject('registryHostsDir')];
const runtimeCall = (name: string): string => `POST /runtime\\.v1\\..*/${name}$`;

/** A pod with each thing that has to be put up and taken down again. */
const fullPod = (name: string): object => {
  const mounts = [
    { name: 'foo', mountPath: '/etc/foo' },
    { name: 'foo', mountPath: '/etc/one', subPath: 'v' },
    { name: 'memory', mountPath: '/memory' },
  ];
  return busyboxPod(name, {
    spec: {
      terminationGracePeriodSeconds: 1,
      volumes: [
        { name: 'foo', secret: { secretName: 'walk' } },
        { name: 'memory', emptyDir: { medium: 'Memory' } },
      ],
      initContainers: [busyboxContainer('init', { command: ['true'] })],
    },
    container: {
      imagePullPolicy: 'Always',
      env: [{ name: 'V', valueFrom: { secretKeyRef: { name: 'walk', key: 'v' } } }],
      volumeMounts: mounts,
      lifecycle: { postStart: { exec: { command: ['sh', '-c', 'echo $V > /memory/started'] } } },
    },
  });
};
const mountsOfPod = [
  'volume-subpaths/foo/main/1',
  'volumes/kubernetes.io~empty-dir/memory',
  'volumes/kubernetes.io~projected/kube-api-access',
  'volumes/kubernetes.io~secret/foo',
];

let dataDir: string;
let mortals: Mortals;
let keylet: Keylet;
let version = 0;
/** Container ids of pods that were found well: they have to stay. */
const known = new Map<string, string>();

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-life-'));
  mortals = await createMortals();
  keylet = await mortals.start({ dataDir, args });
  await rotate(keylet.kubectl);
});
afterAll(async () => {
  await keylet.stop();
  await mortals.close();
  await rm(dataDir, { recursive: true, force: true });
});

const value = (): string => `version-${version}`;
async function rotate(kubectl: Kubectl): Promise<void> {
  version += 1;
  await kubectl.apply(secret('walk', { v: value() }));
}

/** The secret changes while no agent is there to see it; then one is. */
async function comeBack(): Promise<void> {
  const api = await startApiOnly(dataDir);
  await rotate(api.kubectl);
  await api.close();
  keylet = await mortals.start({ dataDir, args });
}

async function pods(): Promise<Pod[]> {
  return (JSON.parse(await keylet.kubectl('get pods -o json')) as { items: Pod[] }).items;
}

/** Nothing is there but what the pods in the API need, and all of that is, in the newest version. */
async function allWell(gone: readonly string[] = []): Promise<void> {
  await eventually(async () => {
    const now = await pods();
    const uids = now.map(pod => pod.metadata.uid ?? '');
    const machine = await machineOf(dataDir, [...uids, ...gone]);
    for (const pod of now) {
      const statuses = pod.status?.containerStatuses ?? [];
      expect(statuses).toMatchObject([{ ready: true, restartCount: 0 }]);
    }
    const running = machine.containers.filter(each => each.state === 'CONTAINER_RUNNING');
    const nameOf = (labels: Record<string, string>): string =>
      labels['io.kubernetes.pod.name'] ?? '';
    const names = now.map(pod => pod.metadata.name ?? '').toSorted();
    expect(running.map(each => nameOf(each.labels)).toSorted()).toEqual(names);
    expect(machine.containers.map(each => nameOf(each.labels)).toSorted()).toEqual(
      [...names, ...names].toSorted(),
    );
    expect(machine.sandboxes.map(each => nameOf(each.labels)).toSorted()).toEqual(names);
    expect(machine.shims).toHaveLength(names.length);
    expect(machine.leases).toEqual(now.map(pod => pod.status?.podIP ?? '').toSorted());
    expect(machine.podFolders).toEqual(uids.toSorted());
    expect(machine.logFolders).toEqual(
      now.map(({ metadata: { namespace, name, uid } }) => `${namespace}_${name}_${uid}`).toSorted(),
    );
    const anyName = (point: string): string =>
      point.replace(/kube-api-access-\w+/, 'kube-api-access');
    expect(machine.mounts.map(anyName).toSorted()).toEqual(
      uids.flatMap(uid => mountsOfPod.map(each => `${uid}/${each}`)).toSorted(),
    );
    for (const uid of uids) {
      const file = path.join(dataDir, 'pods', uid, 'volumes/kubernetes.io~secret/foo/v');
      expect(await readFile(file, 'utf8')).toBe(value());
    }
    for (const { id, labels } of running) {
      const name = nameOf(labels);
      expect(known.get(name) ?? id).toBe(id);
      known.set(name, id);
    }
  });
}

describe('killed while a pod comes up, the successor brings it up', () => {
  const inFoo = 'kubernetes\\.io~secret/foo';
  test.each([
    ['it is bound', 'after POST .*/pods/.*/binding'],
    ['the folder of the volume is made', `after mkdir .*/${inFoo}$`],
    ['the tmpfs is mounted', `after run mount .*${inFoo}$`],
    ['a file of the secret is begun', `after open .*${inFoo}/\\.\\.2.*/v`],
    ['the secret is written, not published', `before rename .*${inFoo}/\\.\\.data_tmp`],
    ['..data is renamed', `after rename .*${inFoo}/\\.\\.data_tmp`],
    ['the sandbox is being made', `during ${runtimeCall('RunPodSandbox')}`],
    ['the sandbox is made', `after ${runtimeCall('RunPodSandbox')}`],
    ['/etc/hosts is written', 'after writeFile .*/etc-hosts'],
    ['the image is being pulled', `during ${runtimeCall('PullImage')}`],
    ['the image is pulled', `after ${runtimeCall('PullImage')}`],
    ['the environment is built', `before ${runtimeCall('CreateContainer')}`],
    ['the container is being made', `during ${runtimeCall('CreateContainer')}`],
    ['the container is made', `after ${runtimeCall('CreateContainer')}`],
    ['the container is being started', `during ${runtimeCall('StartContainer')}`],
    ['the container is started', `after ${runtimeCall('StartContainer')}`],
    ['postStart runs', `before ${runtimeCall('ExecSync')}`],
    ['postStart has run', `after ${runtimeCall('ExecSync')}`],
    ['the status is to be written', 'before PATCH .*/pods/.*/status'],
    ['the status is written', 'after PATCH .*/pods/.*/status'],
  ])('%s', async (_name, step) => {
    const name = `up-${known.size + 1}`;
    await mortals.dieAt(keylet, new RegExp(step));
    await keylet.kubectl.apply(fullPod(name));
    await keylet.ended;
    await comeBack();
    await waitReady(keylet.kubectl, name);
    await allWell();
    expect(await keylet.kubectl.sh(name, 'cat /etc/foo/v')).toBe(value());
  });
});

import { expect, test } from 'vitest';
import type { Pod } from '../../api/core/v1/pod.ts';
import { createPodAdmission } from './pod-admission.ts';

const pod = (name: string, spec: Partial<Pod['spec']> = {}, more: Partial<Pod> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, uid: name, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { containers: [{ name: 'c' }], ...spec },
  ...more,
});
const onPort = (hostPort: number): Partial<Pod['spec']> => ({
  containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort }] }],
});
const started = { status: { phase: 'Running', startTime: '2026-01-01T00:00:01Z' } } as const;

const admissionOf = (pods: readonly Pod[], { reserved = [] as number[], appArmor = true } = {}) =>
  createPodAdmission({
    pods: () => pods,
    reservedPorts: () => Promise.resolve(new Set(reserved)),
    hasAppArmor: () => Promise.resolve(appArmor),
  });
const noFreePorts = {
  reason: 'NodePorts',
  message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
};

test('a pod cannot take a port on which the node listens, even if it ran before', async () => {
  const admission = admissionOf([], { reserved: [6443] });
  expect(await admission.admit(pod('a', onPort(6443)))).toEqual(noFreePorts);
  expect(await admission.admit(pod('b', onPort(6443), started))).toEqual(noFreePorts);
  expect(await admission.admit(pod('c', onPort(6444)))).toBeUndefined();
  const inNetwork = {
    hostNetwork: true,
    containers: [{ name: 'c', ports: [{ containerPort: 6443 }] }],
  };
  expect(await admission.admit(pod('d', inNetwork))).toEqual(noFreePorts);
});

test('of pods that want the same port, the first admitted gets it', async () => {
  const [a, b] = [pod('a', onPort(80)), pod('b', onPort(80))];
  const pods = [b];
  const admission = admissionOf(pods);
  expect(await admission.admit(b)).toBeUndefined();
  pods.push(a);
  expect(await admission.admit(a)).toEqual(noFreePorts);
  expect(await admission.admit(b)).toBeUndefined();
  admission.forget(b);
  pods.shift();
  expect(await admission.admit(a)).toBeUndefined();
});

test('after a restart, the started pod gets it, else the older one', async () => {
  const a = pod('a', onPort(80));
  const b = pod('b', onPort(80), started);
  const c = pod('c', onPort(80));
  const pods = [a, b, c];
  expect(await admissionOf(pods).admit(a)).toEqual(noFreePorts);
  expect(await admissionOf(pods).admit(b)).toBeUndefined();
  expect(await admissionOf([c, a]).admit(c)).toEqual(noFreePorts);
  expect(await admissionOf([c, a]).admit(a)).toBeUndefined();
});

test('a finished pod holds no port', async () => {
  const ended = pod('a', onPort(80), { status: { phase: 'Failed' } });
  const next = pod('b', onPort(80));
  expect(await admissionOf([ended, next]).admit(next)).toBeUndefined();
});

test('a pod for another operating system is refused: Pod Security requires less of it', async () => {
  expect(await admissionOf([]).admit(pod('a', { os: { name: 'windows' } }))).toEqual({
    reason: 'PodOSNotSupported',
    message: "Failed to admit pod as the OS field doesn't match node OS",
  });
  expect(await admissionOf([]).admit(pod('a', { os: { name: 'linux' } }))).toBeUndefined();
});

test('a pod that requires AppArmor is refused without it', async () => {
  const confined = (type: 'RuntimeDefault' | 'Unconfined') =>
    pod('a', { containers: [{ name: 'c', securityContext: { appArmorProfile: { type } } }] });
  const without = () => admissionOf([], { appArmor: false });
  expect(await without().admit(confined('RuntimeDefault'))).toEqual({
    reason: 'AppArmor',
    message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host',
  });
  expect(await without().admit(confined('Unconfined'))).toBeUndefined();
  expect(await admissionOf([]).admit(confined('RuntimeDefault'))).toBeUndefined();
});

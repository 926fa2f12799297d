import { expect, test } from 'vitest';
import type { Node } from '../../api/core/v1/node.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { rejectionOf } from './fit.ts';
import { createUsageByNode } from './node-usage.ts';

const node = (changes: Partial<Node> = {}, allocatable: Record<string, string> = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', annotations: { 'keylet.dev/reserved-host-ports': '6443,40001' } },
  status: {
    conditions: [{ type: 'Ready', status: 'True' }],
    daemonEndpoints: { kubeletEndpoint: { Port: 40_002 } },
    allocatable: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '1Gi', pods: '3', ...allocatable },
  },
  ...changes,
});
let pods = 0;
const pod = (spec: Partial<Pod['spec']>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', uid: `uid-${(pods += 1)}` },
  spec: { containers: [{ name: 'c' }], ...spec },
});
type Container = Pod['spec']['containers'][number];
const withPorts = (ports: NonNullable<Container['ports']>, spec: Partial<Pod['spec']> = {}): Pod =>
  pod({ containers: [{ name: 'c', ports }], ...spec });
const requesting = (...requests: Record<string, string>[]): Pod =>
  pod({
    containers: requests.map((each, i) => ({ name: `c${i}`, resources: { requests: each } })),
  });
const noFreePorts = "node(s) didn't have free ports for the requested pod ports";

const alone = { all: () => [], withAntiAffinity: () => [] };

/** Why the pod cannot be on a node that already has the others. */
function reasons(wanted: Pod, others: Pod[] = [], on = node()): readonly string[] {
  const usage = createUsageByNode();
  for (const other of others) usage.place(other, 'n');
  return rejectionOf(wanted, on, usage.of('n'), alone)?.reasons ?? [];
}

test.each([6443, 40_001, 40_002])('reserved port %i is free for no pod', hostPort => {
  expect(reasons(withPorts([{ containerPort: 80, hostPort }]))).toEqual([noFreePorts]);
  expect(reasons(withPorts([{ containerPort: 80, hostPort, hostIP: '10.0.0.1' }]))).toEqual([
    noFreePorts,
  ]);
  expect(reasons(withPorts([{ containerPort: hostPort }], { hostNetwork: true }))).toEqual([
    noFreePorts,
  ]);
  expect(reasons(withPorts([{ containerPort: hostPort }]))).toEqual([]);
});

test('a host port is free for one pod at a time', () => {
  const web = (changes = {}) => withPorts([{ containerPort: 80, hostPort: 8080, ...changes }]);
  expect(reasons(web())).toEqual([]);
  expect(reasons(web(), [web()])).toEqual([noFreePorts]);
  expect(reasons(web({ protocol: 'UDP' }), [web()])).toEqual([]);
  expect(reasons(withPorts([{ containerPort: 8080 }], { hostNetwork: true }), [web()])).toEqual([
    noFreePorts,
  ]);
  const [a, b] = [{ hostIP: '10.0.0.1' }, { hostIP: '10.0.0.2' }];
  expect(reasons(web(a), [web(b)])).toEqual([]);
  expect(reasons(web(a), [web(a)])).toEqual([noFreePorts]);
});

test('a pod that leaves a node gives back its ports and resources', () => {
  const usage = createUsageByNode();
  const big = { ...requesting({ cpu: '2' }) };
  big.spec.containers[0] = {
    ...(big.spec.containers[0] ?? { name: 'c' }),
    ports: [{ containerPort: 1, hostPort: 9000 }],
  };
  usage.place(big, 'n');
  usage.place(big, 'n');
  expect(rejectionOf(requesting({ cpu: '1m' }), node(), usage.of('n'), alone)?.reasons).toEqual([
    'Insufficient cpu',
  ]);
  expect(usage.remove(big)).toBe('n');
  expect(usage.remove(big)).toBeUndefined();
  expect(rejectionOf({ ...big }, node(), usage.of('n'), alone)).toBeUndefined();
});

test('requests of all containers, with those of the pods that are there, must fit', () => {
  expect(reasons(requesting({ cpu: '1' }, { cpu: '1' }))).toEqual([]);
  expect(reasons(requesting({ cpu: '1' }, { cpu: '1001m' }))).toEqual(['Insufficient cpu']);
  expect(reasons(requesting({ cpu: '500m' }), [requesting({ cpu: '1.6' })])).toEqual([
    'Insufficient cpu',
  ]);
  expect(reasons(requesting({ memory: '2Gi', cpu: '3', 'ephemeral-storage': '2Gi' }))).toEqual([
    'Insufficient cpu',
    'Insufficient ephemeral-storage',
    'Insufficient memory',
  ]);
  expect(reasons(requesting({ 'example.com/gpu': '1' }))).toEqual(['Insufficient example.com/gpu']);
  expect(
    reasons(requesting({ 'example.com/gpu': '1' }), [], node({}, { 'example.com/gpu': '1' })),
  ).toEqual([]);
});

test('a node has no room for more pods than it says', () => {
  const three = [pod({}), pod({}), pod({})];
  expect(reasons(pod({}), three.slice(1))).toEqual([]);
  expect(reasons(pod({}), three)).toEqual(['Too many pods']);
});

test('an init container counts with the sidecars before it, and not beside the containers', () => {
  const init = (cpu: string, restartPolicy?: 'Always'): Container => ({
    name: 'i',
    resources: { requests: { cpu } },
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
  });
  const containers = [{ name: 'c', resources: { requests: { cpu: '1' } } }];
  expect(reasons(pod({ containers, initContainers: [init('2')] }))).toEqual([]);
  expect(reasons(pod({ containers, initContainers: [init('1', 'Always'), init('1')] }))).toEqual(
    [],
  );
  expect(
    reasons(pod({ containers, initContainers: [init('1', 'Always'), init('1001m')] })),
  ).toEqual(['Insufficient cpu']);
  expect(reasons(pod({ containers, initContainers: [init('1001m', 'Always')] }))).toEqual([
    'Insufficient cpu',
  ]);
  expect(reasons(pod({ containers, overhead: { cpu: '1001m' } }))).toEqual(['Insufficient cpu']);
});

test('taints keep pods away that do not tolerate them, and so does a node that is not ready', () => {
  const tainted = node({ spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } });
  expect(reasons(pod({}), [], tainted)).toEqual(['node(s) had untolerated taint {k: v}']);
  expect(reasons(pod({ tolerations: [{ key: 'k', operator: 'Exists' }] }), [], tainted)).toEqual(
    [],
  );
  const withReady = (status: string) =>
    node({ status: { conditions: [{ type: 'Ready', status }] } });
  expect(reasons(pod({}), [], withReady('False'))).toEqual([
    'node(s) had untolerated taint {node.kubernetes.io/not-ready: }',
  ]);
  expect(reasons(pod({}), [], withReady('Unknown'))).toEqual([
    'node(s) had untolerated taint {node.kubernetes.io/unreachable: }',
  ]);
  const cordoned = node({
    spec: {
      unschedulable: true,
      taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
    },
  });
  expect(reasons(pod({}), [], cordoned)).toEqual(['node(s) were unschedulable']);
});

test('required node affinity: one of its terms must hold, with all of its requirements', () => {
  const on = node({ metadata: { name: 'n', labels: { disk: 'ssd', cores: '8' } } });
  const wanting = (...nodeSelectorTerms: object[]): Pod =>
    pod({
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
      },
    });
  const expression = (key: string, operator: string, ...values: string[]) => ({
    matchExpressions: [{ key, operator, values }],
  });
  const mismatch = ["node(s) didn't match Pod's node affinity/selector"];
  expect(reasons(wanting(expression('disk', 'In', 'hdd', 'ssd')), [], on)).toEqual([]);
  expect(reasons(wanting(expression('disk', 'NotIn', 'ssd')), [], on)).toEqual(mismatch);
  expect(reasons(wanting(expression('gpu', 'Exists')), [], on)).toEqual(mismatch);
  expect(reasons(wanting(expression('gpu', 'DoesNotExist')), [], on)).toEqual([]);
  expect(reasons(wanting(expression('cores', 'Gt', '4')), [], on)).toEqual([]);
  expect(reasons(wanting(expression('cores', 'Lt', '8')), [], on)).toEqual(mismatch);
  expect(
    reasons(wanting(expression('gpu', 'Exists'), expression('disk', 'Exists')), [], on),
  ).toEqual([]);
  expect(reasons(wanting({}), [], on)).toEqual(mismatch);
  const field = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['other'] }] };
  expect(reasons(wanting(field), [], on)).toEqual(mismatch);
});

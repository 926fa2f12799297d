import { expect, test } from 'vitest';
import type { Node } from '../../api/core/v1/node.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { rejectionReason } from './fit.ts';

const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', annotations: { 'keylet.dev/reserved-host-ports': '6443,40001' } },
  status: {
    conditions: [{ type: 'Ready', status: 'True' }],
    daemonEndpoints: { kubeletEndpoint: { Port: 40_002 } },
  },
};
type Ports = NonNullable<Pod['spec']['containers'][number]['ports']>;
const pod = (ports: Ports, spec: Partial<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', ports }], ...spec },
});
const noFreePorts = "node(s) didn't have free ports for the requested pod ports";
const reason = (wanted: Pod, others: Pod[] = []) => rejectionReason(wanted, node, () => others);

test.each([6443, 40_001, 40_002])('reserved port %i is free for no pod', hostPort => {
  expect(reason(pod([{ containerPort: 80, hostPort }]))).toBe(noFreePorts);
  expect(reason(pod([{ containerPort: 80, hostPort, hostIP: '10.0.0.1' }]))).toBe(noFreePorts);
  expect(reason(pod([{ containerPort: hostPort }], { hostNetwork: true }))).toBe(noFreePorts);
  expect(reason(pod([{ containerPort: hostPort }]))).toBeUndefined();
});

test('a host port is free for one pod at a time', () => {
  const web = pod([{ containerPort: 80, hostPort: 8080 }]);
  expect(reason(web)).toBeUndefined();
  expect(reason(web, [web])).toBe(noFreePorts);
  const udp = pod([{ containerPort: 80, hostPort: 8080, protocol: 'UDP' }]);
  expect(reason(udp, [web])).toBeUndefined();
  expect(reason(pod([{ containerPort: 8080 }], { hostNetwork: true }), [web])).toBe(noFreePorts);
});

import { expect, test } from 'vitest';
import { freeReservedPorts } from './free-reserved-ports.ts';
import type { PodSandbox, SandboxHostPort } from './runtime/runtime.ts';

const sandbox = (id: string, state: PodSandbox['state'] = 'SANDBOX_READY'): PodSandbox => ({
  id,
  metadata: { name: id, namespace: 'ns', uid: id, attempt: 0 },
  state,
  createdAt: 0n,
  labels: {},
  annotations: {},
});

test('stops the sandboxes that have a port of Keylet, and no others', async () => {
  const ports = new Map<string, SandboxHostPort[]>([
    ['squatter', [{ protocol: 'TCP', hostPort: 6443 }]],
    ['udp', [{ protocol: 'UDP', hostPort: 6443 }]],
    ['web', [{ protocol: 'TCP', hostPort: 8080 }]],
    ['ended', [{ protocol: 'TCP', hostPort: 6443 }]],
  ]);
  const stopped: string[] = [];
  const warnings: unknown[] = [];
  const silent = (): void => undefined;
  await freeReservedPorts(
    {
      listPodSandboxes: () =>
        Promise.resolve([
          ...['squatter', 'udp', 'web', 'unknown'].map(id => sandbox(id)),
          sandbox('ended', 'SANDBOX_NOTREADY'),
        ]),
      sandboxHostPorts: id => {
        const found = ports.get(id);
        return found === undefined ? Promise.reject(new Error('gone')) : Promise.resolve(found);
      },
      stopPodSandbox: id => {
        stopped.push(id);
        return Promise.resolve();
      },
    },
    new Set([6443]),
    {
      debug: silent,
      info: silent,
      error: silent,
      warn: (message, fields) => warnings.push([message, fields]),
    },
  );
  expect(stopped).toEqual(['squatter']);
  expect(warnings).toEqual([
    ['Host ports of a pod are unknown', { pod: 'ns/unknown', error: 'Error: gone' }],
    ['Stopped a pod that had taken a port of Keylet', { pod: 'ns/squatter', port: 6443 }],
  ]);
});

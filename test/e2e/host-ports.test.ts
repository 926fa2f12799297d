import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startKeylet } from '../support/keylet.ts';
import { busyboxPod, eventsOf, waitReady } from '../support/pods.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const admin = sharedKubectl();
let ns: string;
let node: string;
let apiPort: number;

beforeAll(async () => {
  ns = await freshNamespace(admin, 'host-ports');
  node = await admin('get nodes -o', ['jsonpath={.items[0].metadata.name}']);
  const server = await admin('config view --minify -o', ['jsonpath={.clusters[0].cluster.server}']);
  apiPort = Number(new URL(server).port);
  return async () => {
    await admin(`delete namespace ${ns}`);
  };
});

/** A pod whose web server answers with the pod's name, on a port of the node. */
const webPod = (
  name: string,
  port: object,
  { namespace = ns, spec = {} }: { namespace?: string; spec?: object } = {},
): object =>
  busyboxPod(name, {
    namespace,
    spec,
    container: {
      command: [
        'sh',
        '-c',
        `mkdir /www && echo ${name} > /www/index.html && httpd -f -p 80 -h /www`,
      ],
      ports: [{ containerPort: 80, ...port }],
    },
  });
const statusOf = (name: string): Promise<string> =>
  admin(`get pod ${name} -n ${ns} -o`, [
    'jsonpath={.status.phase} {.status.reason}: {.status.message}',
  ]);
/** Waits until a port of the node leads to a pod: the pod is ready before its server listens. */
const expectPage = (port: number, pod: string): Promise<void> =>
  eventually(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5000) });
    expect(await answer.text()).toBe(`${pod}\n`);
  });

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const noFreePorts = "node(s) didn't have free ports for the requested pod ports";

describe('a port on which Keylet listens', () => {
  test('keeps a pod that wants it pending', async () => {
    const nodePort = await admin(`get node ${node} -o`, [
      'jsonpath={.status.daemonEndpoints.kubeletEndpoint.Port}',
    ]);
    const wanted = {
      api: { hostPort: apiPort },
      'api-address': { hostPort: apiPort, hostIP: '127.0.0.1' },
      agent: { hostPort: Number(nodePort) },
    };
    for (const [name, port] of Object.entries(wanted)) {
      await admin.apply(webPod(name, port));
      await eventually(async () =>
        expect(await eventsOf(admin, name, ns)).toContain(
          `Warning FailedScheduling: 0/1 nodes are available: 1 ${noFreePorts}.`,
        ),
      );
    }
    expect(await admin(`get pods -n ${ns} -o`, ['jsonpath={.items[*].status.phase}'])).toBe(
      'Pending Pending Pending',
    );
    await admin(`delete pods --all -n ${ns}`);
  });

  test('is refused by the node to a pod that bypassed the scheduler', async () => {
    const direct = { nodeName: node };
    await admin.apply(
      webPod('direct', { hostPort: apiPort }, { spec: direct }),
      webPod(
        'in-network',
        { containerPort: apiPort, hostPort: 0 },
        { spec: { ...direct, hostNetwork: true } },
      ),
    );
    for (const name of ['direct', 'in-network']) {
      await admin(`wait pod/${name} -n ${ns} --for=jsonpath={.status.phase}=Failed --timeout=60s`);
      expect(await statusOf(name)).toBe(
        `Failed NodePorts: Pod was rejected: Predicate NodePorts failed: ${noFreePorts}`,
      );
      expect(await eventsOf(admin, name, ns)).toContain(
        `Warning NodePorts: Predicate NodePorts failed: ${noFreePorts}`,
      );
      expect(await admin(`get pod ${name} -n ${ns} --no-headers`)).toMatch(
        new RegExp(`^${name} +0/1 +NodePorts +0 `),
      );
    }
    expect(await admin('get --raw /readyz')).toBe('ok');
    await admin(`delete pods --all -n ${ns}`);
  });
});

test('only one pod at a time gets a port of the node', async () => {
  const hostPort = await freePort();
  await admin.apply(webPod('first', { hostPort }));
  await waitReady(admin, 'first', ns);
  await admin.apply(
    webPod('second', { hostPort }),
    webPod('direct', { hostPort }, { spec: { nodeName: node } }),
  );
  await admin(`wait pod/direct -n ${ns} --for=jsonpath={.status.phase}=Failed --timeout=60s`);
  await eventually(async () =>
    expect(await eventsOf(admin, 'second', ns)).toContain('FailedScheduling'),
  );
  await expectPage(hostPort, 'first');
  await admin(`delete pod first -n ${ns}`);
  await waitReady(admin, 'second', ns);
  await expectPage(hostPort, 'second');
});

test('a pod that already has the port of the API loses it when Keylet starts', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-host-ports-'));
  const args = ['--registry-hosts-dir', inject('registryHostsDir')];
  const hostPort = await freePort();
  let keylet = await startKeylet({ dataDir, args });
  try {
    await keylet.kubectl.apply(webPod('squatter', { hostPort }, { namespace: 'default' }));
    await waitReady(keylet.kubectl, 'squatter');
    await expectPage(hostPort, 'squatter');
    await keylet.stop('SIGKILL');
    keylet = await startKeylet({ dataDir, args: [...args, '--port', String(hostPort)] });

    const { kubectl } = keylet;
    await kubectl('wait pod/squatter --for=jsonpath={.status.phase}=Failed --timeout=60s');
    expect(await kubectl('get pod squatter -o', ['jsonpath={.status.reason}'])).toBe('NodePorts');
    await kubectl.apply(busyboxPod('next'));
    await waitReady(kubectl, 'next');
  } finally {
    await keylet.stop();
    await rm(dataDir, { recursive: true });
  }
});

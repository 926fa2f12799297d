import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { podResource } from '../../src/api/core/v1/pod.ts';
import { createClient } from '../../src/client/http-client.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import { eventually } from '../support/eventually.ts';
import { root } from '../support/keylet.ts';
import { busyboxContainer, busyboxPod, eventsOf, waitReady } from '../support/pods.ts';
import { run } from '../support/run.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();
let namespace: string;
beforeAll(async () => {
  namespace = await freshNamespace(kubectl, 'pod-life');
  return () => kubectl(`delete namespace ${namespace} --wait=false`);
});
const n = (line: string, more: readonly string[] = []): Promise<string> =>
  kubectl(`-n ${namespace} ${line}`, more);
const pod = (name: string, options: Parameters<typeof busyboxPod>[1] = {}): Promise<string> =>
  kubectl.apply(busyboxPod(name, { namespace, ...options }));
const field = (name: string, fieldPath: string): Promise<string> =>
  n(`get pod ${name} -o jsonpath={${fieldPath}}`);

const untilTerm = 'trap "exit 0" TERM; while true; do sleep 0.1; done';
const sidecar = busyboxContainer('side', {
  restartPolicy: 'Always',
  command: ['sh', '-c', untilTerm],
});

describe('sidecars', () => {
  test('a pod ends when its containers have ended; its sidecar is stopped after them', async () => {
    await pod('with-sidecar', {
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 30,
        initContainers: [sidecar],
      },
      container: { command: ['sh', '-c', 'sleep 1'] },
    });
    await n('wait pod/with-sidecar --for=jsonpath={.status.phase}=Succeeded --timeout=60s');
    expect(
      await field('with-sidecar', '.status.initContainerStatuses[0].state.terminated.exitCode'),
    ).toBe('0');
    expect(await n('get pod with-sidecar --no-headers')).toMatch(/ Completed /);
  });
});

describe('a deleted pod', () => {
  test.each([
    ['Succeeded', 0],
    ['Failed', 3],
  ])('its last state is %s', async (phase, code) => {
    const name = `deleted-${phase.toLowerCase()}`;
    const script = `trap "exit ${code}" TERM; while true; do sleep 0.1; done`;
    await pod(name, {
      spec: { terminationGracePeriodSeconds: 30 },
      container: { command: ['sh', '-c', script] },
    });
    await waitReady(kubectl, name, namespace);
    const client = createClient(await loadKubeconfig(inject('kubeconfig')));
    try {
      const watch = client
        .resource(podResource)
        .watch({ namespace, fieldSelector: `metadata.name=${name}` });
      const deleted = (async () => {
        for await (const event of watch) if (event.type === 'DELETED') return event.object;
        return undefined;
      })();
      await n(`delete pod ${name} --wait=false`);
      expect((await deleted)?.status).toMatchObject({
        phase,
        containerStatuses: [{ state: { terminated: { exitCode: code } } }],
      });
    } finally {
      await client.close();
    }
  });
});

describe('what a container finds', () => {
  test('its termination message can be written by any user', async () => {
    await pod('nobody', {
      spec: { restartPolicy: 'Never', securityContext: { runAsUser: 65534 } },
      container: { command: ['sh', '-c', 'echo -n written > /dev/termination-log'] },
    });
    await n('wait pod/nobody --for=jsonpath={.status.phase}=Succeeded --timeout=60s');
    expect(await field('nobody', '.status.containerStatuses[0].state.terminated.message')).toBe(
      'written',
    );
  });

  test('an emptyDir in memory has the mode of a tmpfs', async () => {
    await pod('memory', {
      spec: { volumes: [{ name: 'm', emptyDir: { medium: 'Memory' } }] },
      container: { volumeMounts: [{ name: 'm', mountPath: '/m' }] },
    });
    await waitReady(kubectl, 'memory', namespace);
    expect(await kubectl.sh('memory', 'stat -c %a /m', { namespace })).toBe('1777\n');
  });

  test('its full name', async () => {
    await pod('named', { spec: { hostname: 'h', subdomain: 's', setHostnameAsFQDN: true } });
    await waitReady(kubectl, 'named', namespace);
    const fqdn = `h.s.${namespace}.svc.cluster.local`;
    expect(await kubectl.sh('named', 'hostname', { namespace })).toBe(`${fqdn}\n`);
    expect(await kubectl.sh('named', 'cat /etc/hosts', { namespace })).toContain(`\t${fqdn}\th\n`);
  });
});

test('an HTTP probe follows a redirect on the same host', async () => {
  // busybox' httpd redirects a folder to its name with a slash: what is there counts.
  const server = 'mkdir -p /www/ok && echo yes > /www/ok/index.html && httpd -f -p 8080 -h /www';
  const readinessProbe = { httpGet: { path: '/ok', port: 8080 }, periodSeconds: 1 };
  await pod('redirected', { container: { command: ['sh', '-c', server], readinessProbe } });
  await waitReady(kubectl, 'redirected', namespace);
  expect(await eventsOf(kubectl, 'redirected', namespace)).not.toContain('ProbeWarning');
});

test('a gRPC probe fails where no gRPC server listens', async () => {
  const readinessProbe = { grpc: { port: 9 }, periodSeconds: 1 };
  await pod('no-grpc', { container: { readinessProbe } });
  await eventually(async () =>
    expect(await eventsOf(kubectl, 'no-grpc', namespace)).toMatch(
      /Unhealthy: Readiness probe failed: timeout: failed to connect service "[\d.]+:9" within 1s/,
    ),
  );
  expect(await field('no-grpc', '.status.containerStatuses[0].ready')).toBe('false');
});

test('a Keylet whose node cannot start ends with the error', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'keylet-no-node-'));
  try {
    // A folder that looks like Keylet's, with a file where the agent keeps its pods.
    await writeFile(path.join(folder, 'keylet.log'), '');
    await writeFile(path.join(folder, 'pods'), '');
    const launcher = path.join(root, 'bin/keylet.js');
    const args = [launcher, 'up', '--data-dir', folder, '--port', '0'];
    const { code, stderr } = await run(process.execPath, args, { timeoutMs: 60_000 });
    expect(code).toBe(1);
    expect(stderr).toContain('EEXIST');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

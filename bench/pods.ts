import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { podResource, type Pod } from '../src/api/core/v1/pod.ts';
import { secretResource } from '../src/api/core/v1/secret.ts';
import type { KubeClient } from '../src/client/client.ts';
import { connectCri } from '../src/node/runtime/cri/connect-cri.ts';
import type { Keylet } from '../test/support/keylet.ts';
import { busyboxPod } from '../test/support/pods.ts';
import { median, timed, type Row } from './measure.ts';

const rounds = 7;
const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** What a user waits for: pods that start, secrets that arrive. */
export async function benchPods(
  keylet: Keylet,
  client: KubeClient,
  runtimeSocket: string,
): Promise<Row[]> {
  await client.resource(podResource).create(busyboxPod('warm') as Pod);
  await untilRunning(client, 'warm');
  const started: number[] = [];
  const bare: number[] = [];
  for (let i = 0; i < rounds; i += 1) {
    started.push(await postToRunning(client, `start-${i}`));
    bare.push(await bareCalls(runtimeSocket, i));
  }
  return [
    {
      what: 'pod posted → Running seen on a watch',
      value: median(started),
      unit: 'ms',
      limit: { what: 'the same calls of the CRI alone', value: median(bare) },
      budget: { value: 1.25, of: 'ratio', better: 'less' },
    },
    await rotation(keylet, client, 1, 20),
    await rotation(keylet, client, 200, 300),
  ];
}

async function postToRunning(client: KubeClient, name: string): Promise<number> {
  const pods = client.resource(podResource);
  const pod = { ...busyboxPod(name), metadata: { name, namespace: 'default' } } as Pod;
  pod.spec.automountServiceAccountToken = false;
  const tookMs = await timed(async () => {
    const seen = untilRunning(client, name);
    await pods.create(pod);
    await seen;
  });
  await pods.delete('default', name, { gracePeriodSeconds: 0 });
  return tookMs;
}

/** @returns once a watch shows the pod running */
export async function untilRunning(client: KubeClient, name: string): Promise<void> {
  const stop = new AbortController();
  const options = {
    namespace: 'default',
    fieldSelector: `metadata.name=${name}`,
    signal: stop.signal,
  };
  for await (const { object } of client.resource(podResource).watch(options)) {
    if (object.status?.phase === 'Running') break;
  }
  stop.abort();
}

async function bareCalls(endpoint: string, i: number): Promise<number> {
  const cri = connectCri({ endpoint, log });
  const uid = `bare-${process.pid}-${i}`;
  const sandbox = {
    metadata: { name: 'bare', namespace: 'bench', uid, attempt: 0 },
    hostname: 'bare',
    logDirectory: `/var/log/pods/bench_bare_${uid}`,
    labels: { 'io.kubernetes.pod.uid': uid },
    annotations: {},
    linux: {
      securityContext: { namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } },
    },
  } as const;
  const image = await cri.imageStatus('docker.io/library/busybox:latest');
  let id = '';
  const tookMs = await timed(async () => {
    id = await cri.runPodSandbox(sandbox);
    const container = await cri.createContainer(
      id,
      {
        metadata: { name: 'main', attempt: 0 },
        image: image?.id ?? '',
        command: ['sleep', '3600'],
        envs: [],
        mounts: [],
        labels: {},
        annotations: {},
        logPath: 'main/0.log',
        linux: {
          securityContext: { namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } },
        },
      },
      sandbox,
    );
    await cri.startContainer(container);
  });
  await cri.stopPodSandbox(id);
  await cri.removePodSandbox(id);
  await cri.close();
  return tookMs;
}

/** One secret in `volumes` volumes, 50 a pod; the time until the last file shows the new value. */
async function rotation(
  keylet: Keylet,
  client: KubeClient,
  volumes: number,
  budgetMs: number,
): Promise<Row> {
  const secrets = client.resource(secretResource);
  const name = `rotated-${volumes}`;
  await secrets.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'default' },
    stringData: { k: 'v-0' },
  });
  const files: string[] = [];
  for (let first = 0; first < volumes; first += 50) {
    const count = Math.min(50, volumes - first);
    const names = Array.from({ length: count }, (_, i) => `v${i}`);
    const pod = `${name}-${first}`;
    const made = await client.resource(podResource).create(
      busyboxPod(pod, {
        spec: { volumes: names.map(each => ({ name: each, secret: { secretName: name } })) },
        container: { volumeMounts: names.map(each => ({ name: each, mountPath: `/s/${each}` })) },
      }) as Pod,
    );
    await untilRunning(client, pod);
    files.push(
      ...names.map(each =>
        path.join(
          keylet.dataDir,
          `pods/${made.metadata.uid}/volumes/kubernetes.io~secret/${each}/k`,
        ),
      ),
    );
  }
  const took: number[] = [];
  const watchOnly: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const value = `v-${round}`;
    const stop = new AbortController();
    const { metadata } = await secrets.get('default', name);
    const watched = (async () => {
      const options = {
        namespace: 'default',
        fieldSelector: `metadata.name=${name}`,
        resourceVersion: metadata.resourceVersion ?? '',
        signal: stop.signal,
      };
      for await (const _event of secrets.watch(options)) return performance.now();
      return Number.NaN;
    })();
    await client.raw('GET', '/readyz');
    const startedAt = performance.now();
    const written = secrets.patch('default', name, 'merge', { stringData: { k: value } });
    for (const file of files) while ((await readFile(file, 'utf8')) !== value);
    took.push(performance.now() - startedAt);
    await written;
    watchOnly.push((await watched) - startedAt);
    stop.abort();
  }
  return {
    what: `secret changed → new content readable in ${volumes === 1 ? 'the container' : `the last of ${volumes} volumes`}`,
    value: median(took),
    unit: 'ms',
    limit: { what: 'until a watch of a client has it', value: median(watchOnly) },
    budget: { value: budgetMs, of: 'value', better: 'less' },
  };
}

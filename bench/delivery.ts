import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { podResource, type Pod } from '../src/api/core/v1/pod.ts';
import { secretResource } from '../src/api/core/v1/secret.ts';
import type { KubeClient } from '../src/client/client.ts';
import type { Keylet } from '../test/support/keylet.ts';
import { busyboxPod } from '../test/support/pods.ts';
import { percentile, rate, timed, type Row } from './measure.ts';
import { untilRunning } from './pods.ts';

const perSecond = 50;
const seconds = 10;
const stored = 5000;

/** Secrets that change without a pause, in a store with many: how late the files are, and what it costs. */
export async function benchDelivery(keylet: Keylet, client: KubeClient): Promise<Row[]> {
  const secrets = client.resource(secretResource);
  await rate(stored, 64, i =>
    secrets.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `stored-${i}`, namespace: 'default' },
      stringData: { k: 'v'.repeat(1024) },
    }),
  );
  return [...(await sustained(keylet, client, 1)), ...(await sustained(keylet, client, 200))];
}

async function sustained(keylet: Keylet, client: KubeClient, volumes: number): Promise<Row[]> {
  const name = `sustained-${volumes}`;
  const secrets = client.resource(secretResource);
  await secrets.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'default' },
    stringData: { n: '0' },
  });
  const folders = await mountEverywhere(keylet, client, { name, volumes });
  const sentAt: number[] = [];
  const late: number[] = [];
  // Some of them: to read all would take the processor from what is measured.
  const watched = folders.filter((_, i) => i % 25 === 0);
  const watchers = watched.map(folder =>
    follow(folder, n => {
      const sent = sentAt[n];
      if (sent !== undefined) late.push(performance.now() - sent);
    }),
  );
  const before = await costOf(keylet);
  const startedAt = performance.now();
  const pending: Promise<number>[] = [];
  for (let n = 1; n <= perSecond * seconds; n += 1) {
    await delay(startedAt + (n * 1000) / perSecond - performance.now());
    sentAt[n] = performance.now();
    pending.push(
      timed(() => secrets.patch('default', name, 'merge', { stringData: { n: String(n) } })),
    );
  }
  const answered = await Promise.all(pending);
  const after = await costOf(keylet);
  const elapsedMs = performance.now() - startedAt;
  // Changes under way together may overtake each other: one more says when all is through.
  await secrets.patch('default', name, 'merge', { stringData: { n: 'last' } });
  for (const folder of folders) {
    while ((await readFile(path.join(folder, 'n'), 'utf8')) !== 'last') await delay(1);
  }
  for (const each of watchers) each.close();
  const what = `${perSecond} changes a second for ${seconds} s, ${stored} secrets stored, ${volumes === 1 ? 'one volume' : `${volumes} volumes`}`;
  return [
    {
      what: `${what}: change sent → in the file, p50`,
      value: percentile(late, 50),
      unit: 'ms',
      limit: { what: 'until the change is answered', value: percentile(answered, 50) },
    },
    {
      what: `${what}: p99`,
      value: percentile(late, 99),
      unit: 'ms',
      limit: { what: 'until the change is answered', value: percentile(answered, 99) },
    },
    {
      what: `${what}: processor of Keylet`,
      value: ((after.cpuMs - before.cpuMs) / elapsedMs) * 100,
      unit: '%',
    },
    { what: `${what}: memory of Keylet after it`, value: after.residentMiB, unit: 'MiB' },
  ];
}

/** 50 volumes a pod. @returns their folders on the node */
async function mountEverywhere(
  keylet: Keylet,
  client: KubeClient,
  { name, volumes }: { name: string; volumes: number },
): Promise<string[]> {
  const folders: string[] = [];
  for (let first = 0; first < volumes; first += 50) {
    const names = Array.from({ length: Math.min(50, volumes - first) }, (_, i) => `v${i}`);
    const pod = `${name}-${first}`;
    const { metadata } = await client.resource(podResource).create(
      busyboxPod(pod, {
        spec: { volumes: names.map(each => ({ name: each, secret: { secretName: name } })) },
        container: { volumeMounts: names.map(each => ({ name: each, mountPath: `/s/${each}` })) },
      }) as Pod,
    );
    await untilRunning(client, pod);
    const root = path.join(keylet.dataDir, `pods/${metadata.uid}/volumes/kubernetes.io~secret`);
    folders.push(...names.map(each => path.join(root, each)));
  }
  return folders;
}

/** Tells the number that a volume shows whenever it changes. */
function follow(folder: string, tell: (n: number) => void): { close(): void } {
  return watch(folder, (_, file) => {
    if (file !== '..data') return;
    readFile(path.join(folder, 'n'), 'utf8').then(
      text => tell(Number(text)),
      () => undefined,
    );
  });
}

async function costOf({ pid }: Keylet): Promise<{ cpuMs: number; residentMiB: number }> {
  const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  // utime and stime, in hundredths of a second.
  return {
    cpuMs: (Number(stat[11]) + Number(stat[12])) * 10,
    residentMiB: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024,
  };
}

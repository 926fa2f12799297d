/**
 * `npm run bench`: the design's budgets beside their raw limits, in one run. Needs root, as `keylet up` does.
 * `npm run bench -- volumes delivery` runs these parts only: start, pods, api, volumes, delivery.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createLogger } from '../src/machinery/log.ts';
import { createClient } from '../src/client/http-client.ts';
import { loadKubeconfig } from '../src/client/kubeconfig.ts';
import { startManagedContainerd } from '../src/node/runtime/containerd/managed-containerd.ts';
import { startKeylet, root, type Keylet } from '../test/support/keylet.ts';
import { ensurePackages } from '../test/support/packages.ts';
import { mustRun } from '../test/support/run.ts';
import { serveImages } from '../test/support/serve-images.ts';
import { benchApi } from './api.ts';
import { benchDelivery } from './delivery.ts';
import { keeps, median, ratioOf, type Row } from './measure.ts';
import { benchPods } from './pods.ts';
import { benchVolumes } from './volumes.ts';

/** Until what only the start needed is given back. */
const idleMs = 5000;

const parts = process.argv.slice(2);
const runs = (part: string): boolean => parts.length === 0 || parts.includes(part);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  await ensurePackages();
  await mustRun('npm', ['run', '--silent', 'build'], { timeoutMs: 300_000 });
  const images = await serveImages(['busybox']);
  const rows: Row[] = [];
  try {
    const args = ['--registry-hosts-dir', images.hostsDir];
    if (runs('start')) rows.push(...(await benchStart(args)));
    if (runs('volumes')) rows.push(...(await benchVolumes()));
    const keylet = await startKeylet({ args });
    try {
      const config = await loadKubeconfig(keylet.kubeconfig);
      const client = createClient(config);
      await delay(idleMs);
      rows.push({
        what: 'memory of server, controllers and agent, idle',
        value: await residentMiB(keylet),
        unit: 'MiB',
        budget: { value: 120, of: 'value', better: 'less' },
      });
      const socket = `/run/keylet/${createHash('sha256').update(path.resolve(keylet.dataDir)).digest('hex').slice(0, 12)}/containerd.sock`;
      if (runs('pods')) rows.push(...(await benchPods(keylet, client, socket)));
      if (runs('api')) rows.push(...(await benchApi(config)));
      if (runs('delivery')) rows.push(...(await benchDelivery(keylet, client)));
      await client.close();
    } finally {
      await keylet.stop();
    }
  } finally {
    await images.close();
  }
  print(rows);
  await mkdir(path.join(root, 'bench/results'), { recursive: true });
  await writeFile(
    path.join(root, 'bench/results/latest.json'),
    `${JSON.stringify({ node: process.version, cpus: cpus().length, rows }, null, 2)}\n`,
  );
}

async function benchStart(args: readonly string[]): Promise<Row[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keylet-bench-'));
  const log = createLogger({ level: 'error', write: line => process.stderr.write(line) });
  const podNetwork = { cidr: '10.42.250.0/24', bridge: 'keylet250' };
  const runtime = await startManagedContainerd({ dataDir: folder, podNetwork, log });
  const own = await startTimes(args);
  const there = await startTimes(['--runtime-endpoint', runtime.endpoint]);
  await runtime.close();
  await runtime.cleanUp();
  await rm(folder, { recursive: true, force: true });
  const what = 'start of keylet up → node Ready, new data folder';
  return [
    {
      what: `${what}, its own containerd`,
      value: own,
      unit: 'ms',
      budget: { value: 2500, of: 'value', better: 'less' },
    },
    {
      what: `${what}, a containerd that runs`,
      value: there,
      unit: 'ms',
      budget: { value: 1000, of: 'value', better: 'less' },
    },
  ];
}

async function startTimes(args: readonly string[]): Promise<number> {
  const values: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const keylet = await startKeylet({ args });
    values.push(Number(/^Ready in (\d+) ms$/m.exec(keylet.output())?.[1]));
    await keylet.stop();
  }
  return median(values);
}

async function residentMiB({ pid }: Keylet): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}

function print(rows: readonly Row[]): void {
  const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(1));
  say('| what | measured | the limit in the same run | ratio | budget | kept |');
  say('| --- | --- | --- | --- | --- | --- |');
  for (const row of rows) {
    const { what, value, unit, limit, budget } = row;
    const ratio = ratioOf(row);
    const sign = budget?.better === 'less' ? '≤' : '≥';
    const kept = keeps(row);
    say(
      `| ${what} | ${digits(value)} ${unit} | ${limit === undefined ? '–' : `${digits(limit.value)} ${unit} (${limit.what})`} | ${ratio === undefined ? '–' : ratio.toFixed(2)} | ${budget === undefined ? '–' : `${sign} ${budget.value}${budget.of === 'ratio' ? ' ×' : ` ${unit}`}`} | ${kept === undefined ? '–' : kept ? 'yes' : 'NO'} |`,
    );
  }
}

await main();

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { secretResource, type Secret } from '../../src/api/core/v1/secret.ts';
import { createClient } from '../../src/client/http-client.ts';
import type { ResourceClient } from '../../src/client/client.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import { isStatusError } from '../../src/machinery/status.ts';
import { root } from '../support/keylet.ts';

const rounds = 100;
const lanes = 6;
const namespace = 'default';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-kill-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function startServer(): Promise<{ child: ChildProcess; kubeconfig: string }> {
  const script = path.join(root, 'test/support/api-only-process.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [line] = (await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data'),
    once(child, 'close').then(() => [output]),
  ])) as [string];
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}:\n${line}`);
  return { child, kubeconfig: line.trim() };
}

/** What a lane's Secret holds, as far as its client knows. */
interface Lane {
  readonly name: string;
  /** The last that was acknowledged; -1: it was not created yet. */
  n: number;
}

const secretOf = ({ name }: Lane, n: number): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  data: { n: Buffer.from(String(n)).toString('base64') },
});
const numberIn = (secret: Secret | undefined): number =>
  secret === undefined ? -1 : Number(Buffer.from(secret.data?.['n'] ?? '', 'base64').toString());

/** Counts upwards, and creates one more Secret at each step, until the server is gone. */
async function write(
  lane: Lane,
  secrets: ResourceClient<Secret>,
  { made, onAcknowledged }: { made: Set<string>; onAcknowledged: () => void },
): Promise<void> {
  try {
    for (;;) {
      const next = lane.n + 1;
      if (next === 0) await secrets.create(secretOf(lane, next));
      else await secrets.patch(namespace, lane.name, 'merge', { data: secretOf(lane, next).data });
      lane.n = next;
      const name = `${lane.name}-${next}`;
      await secrets.create(secretOf({ name, n: 0 }, next));
      made.add(name);
      onAcknowledged();
    }
  } catch (error) {
    // What the API refuses is a fault; what the transport lost is what the test is about.
    if (isStatusError(error)) throw error;
  }
}

test(`killed ${rounds} times while ${lanes} clients write, it loses nothing that was acknowledged and always starts`, async () => {
  const all: Lane[] = Array.from({ length: lanes }, (_, i) => ({ name: `lane-${i}`, n: -1 }));
  const made = new Set<string>();
  const look = async (secrets: ResourceClient<Secret>): Promise<void> => {
    const { items } = await secrets.list({ namespace });
    const found = new Map(items.map(each => [each.metadata.name ?? '', each]));
    for (const lane of all) {
      const n = numberIn(found.get(lane.name));
      // At most one write was under way: it is there or not.
      expect([lane.n, lane.n + 1]).toContain(n);
      if (n > lane.n && found.has(`${lane.name}-${n}`)) throw new Error('created before its turn');
      lane.n = n;
    }
    expect([...made].filter(name => !found.has(name))).toEqual([]);
  };

  for (let round = 0; round <= rounds; round += 1) {
    const { child, kubeconfig } = await startServer();
    const client = createClient(await loadKubeconfig(kubeconfig));
    const secrets = client.resource(secretResource);
    await look(secrets);
    const enough = Math.floor(Math.random() * 40);
    let acknowledged = 0;
    const kill = (): void => void (acknowledged++ >= enough && child.kill('SIGKILL'));
    const closed = once(child, 'close');
    if (round === rounds) child.kill('SIGKILL');
    else await Promise.all(all.map(each => write(each, secrets, { made, onAcknowledged: kill })));
    await closed;
    await client.close();
  }
  expect(made.size).toBeGreaterThan(rounds);
  const updates = all.reduce((sum, { n }) => sum + n, 0);
  console.info(
    `${rounds} kills: ${made.size} acknowledged creates and ${updates} updates are there`,
  );
}, 1_200_000);

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { secretResource, type Secret } from '../../src/api/core/v1/secret.ts';
import type { KubeClient } from '../../src/client/client.ts';
import { createClient } from '../../src/client/http-client.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import { isStatusError } from '../../src/machinery/status.ts';
import { eventually } from '../support/eventually.ts';
import { startKeylet, type Keylet } from '../support/keylet.ts';

const lanes = ['a', 'b', 'c', 'd'];
const deaths = 4;
const namespace = 'default';

let dataDir: string;
let keylet: Keylet;
let client: KubeClient;
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-life-'));
  keylet = await startKeylet({ dataDir });
  client = createClient(await loadKubeconfig(keylet.kubeconfig));
});
afterAll(async () => {
  await client.close();
  await keylet.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const numberIn = ({ data }: Secret): number =>
  Number(Buffer.from(data?.['n'] ?? '', 'base64').toString());
const secretOf = (name: string, n: number): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  type: 'Opaque',
  data: { n: Buffer.from(String(n)).toString('base64') },
});

/** Counts upwards in a Secret, and makes one more at each step, through all deaths of the server. */
async function write(lane: string, acknowledged: Set<string>, stop: AbortSignal): Promise<number> {
  const secrets = client.resource(secretResource);
  let next = 0;
  while (!stop.aborted) {
    try {
      if (next === 0) await secrets.create(secretOf(lane, next));
      else await secrets.patch(namespace, lane, 'merge', { data: secretOf(lane, next).data });
      acknowledged.add(`${lane} ${next}`);
      next += 1;
      await secrets.create(secretOf(`${lane}-${next}`, next));
      acknowledged.add(`${lane}-${next}`);
    } catch (error) {
      if (isStatusError(error)) throw error;
      // Its answer was lost: it is there or not, and all before it are.
      const found = await eventually(() =>
        secrets.get(namespace, lane).then(numberIn, (reason: unknown) => {
          if (isStatusError(reason, 'NotFound')) return -1;
          throw reason;
        }),
      );
      expect([next - 1, next]).toContain(found);
      next = found + 1;
    }
  }
  return next - 1;
}

interface Seen {
  readonly type: string;
  readonly name: string;
  readonly n: number;
  readonly version: number;
}

/** All that a watch tells that goes on from where it was, whenever it is cut. */
async function watchAll(from: string, seen: Seen[], stop: AbortSignal): Promise<void> {
  let resourceVersion = from;
  while (!stop.aborted) {
    try {
      const events = client
        .resource(secretResource)
        .watch({ namespace, resourceVersion, allowBookmarks: false, signal: stop });
      for await (const { type, object } of events) {
        resourceVersion = object.metadata.resourceVersion ?? '';
        const { name = '' } = object.metadata;
        seen.push({ type, name, n: numberIn(object), version: Number(resourceVersion) });
      }
    } catch (error) {
      if (isStatusError(error)) throw error;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  }
}

test('killed at any time it has every write that it acknowledged, and its watchers miss and repeat none', async () => {
  const secrets = client.resource(secretResource);
  const { port } = new URL((await loadKubeconfig(keylet.kubeconfig)).server);
  const { metadata } = await secrets.list({ namespace });
  const acknowledged = new Set<string>();
  const seen: Seen[] = [];
  const writing = new AbortController();
  const watching = new AbortController();
  const writers = lanes.map(lane => write(lane, acknowledged, writing.signal));
  const watcher = watchAll(metadata.resourceVersion ?? '', seen, watching.signal);

  for (let death = 0; death < deaths; death += 1) {
    const enough = acknowledged.size + 20 + Math.floor(Math.random() * 200);
    await eventually(() => acknowledged.size > enough, { everyMs: 1 });
    await keylet.stop('SIGKILL');
    keylet = await startKeylet({ dataDir, args: ['--port', port] });
  }
  writing.abort();
  const last = await Promise.all(writers);
  const { items } = await secrets.list({ namespace });
  const newest = Math.max(...items.map(each => Number(each.metadata.resourceVersion)));
  await eventually(() => seen.at(-1)?.version === newest);
  watching.abort();
  await watcher;

  const there = new Map(items.map(each => [each.metadata.name ?? '', numberIn(each)]));
  for (const [i, lane] of lanes.entries()) {
    expect(there.get(lane)).toBe(last[i]);
    const told = seen.filter(({ name }) => name === lane);
    expect(told.map(({ type, n }) => `${type} ${n}`)).toEqual(
      told.map((_, n) => (n === 0 ? 'ADDED 0' : `MODIFIED ${n}`)),
    );
    expect(told.at(-1)?.n).toBe(last[i]);
  }
  const made = [...acknowledged].filter(name => name.includes('-'));
  expect(made.filter(name => !there.has(name))).toEqual([]);
  const versions = seen.map(({ version }) => version);
  expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
  const told = new Set(seen.map(({ name }) => name));
  expect([...there.keys()].filter(name => !told.has(name))).toEqual([]);
  expect(
    await keylet.kubectl(`get secret ${lanes[0]} -o jsonpath={.metadata.resourceVersion}`),
  ).toBe(String(seen.findLast(({ name }) => name === lanes[0])?.version));
});

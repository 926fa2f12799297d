import { setImmediate as tick } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { Secret } from '../../api/core/v1/secret.ts';
import type { KubeClient, ListOptions, ResourceClient, WatchOptions } from '../../client/client.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { internalError, notFound } from '../../machinery/status.ts';
import type { WatchEvent } from '../../machinery/watch-event.ts';
import { objectsOf } from '../../api/core/v1/pod/pod-references.ts';
import { createReferences, type ChangeDetection, type References } from './references.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
type SecretEvent = Exclude<WatchEvent<Secret>, { type: 'ERROR' }>;

const nameOf = ({ fieldSelector = '' }: ListOptions | WatchOptions): string =>
  fieldSelector.replace('metadata.name=', '');

/** An API that counts, fails and changes on demand. */
function fakeApi() {
  const secrets = new Map<string, Secret>();
  const watches = new Map<string, (event: SecretEvent) => void>();
  const state = { gets: 0, lists: 0, mostLists: 0, failing: false, version: 1, watches };
  async function* watch(options: WatchOptions): AsyncIterable<SecretEvent> {
    const queue: SecretEvent[] = [];
    let wake: (() => void) | undefined;
    const name = nameOf(options);
    watches.set(name, event => {
      queue.push(event);
      wake?.();
    });
    options.signal?.addEventListener('abort', () => wake?.());
    while (options.signal?.aborted !== true) {
      const event = queue.shift();
      if (event === undefined) await new Promise<void>(resolve => (wake = resolve));
      else yield event;
    }
    watches.delete(name);
  }
  const resource = {
    ref: { plural: 'secrets' },
    async get(_: string, name: string) {
      state.gets += 1;
      if (state.failing) throw internalError('down');
      const found = secrets.get(name);
      if (found === undefined) throw notFound({ group: '', plural: 'secrets' }, name);
      return found;
    },
    async list(options: ListOptions) {
      state.lists += 1;
      state.mostLists = Math.max(state.mostLists, state.lists);
      await tick();
      state.lists -= 1;
      const found = secrets.get(nameOf(options));
      const metadata = { resourceVersion: String(state.version) };
      return { items: found === undefined ? [] : [found], metadata };
    },
    watch,
  };
  const client = {
    resource: <T extends KubeObject>() => resource as unknown as ResourceClient<T>,
  } as unknown as KubeClient;
  return {
    client,
    state,
    set(name: string, value: string | undefined) {
      state.version += 1;
      const old = secrets.get(name);
      if (value === undefined) {
        secrets.delete(name);
        if (old !== undefined) watches.get(name)?.({ type: 'DELETED', object: old });
        return;
      }
      const resourceVersion = String(state.version);
      const metadata = { name, namespace: 'default', resourceVersion };
      const object: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, data: { value } };
      secrets.set(name, object);
      watches.get(name)?.({ type: old === undefined ? 'ADDED' : 'MODIFIED', object });
    },
  };
}

const podOf = (uid: string, secretName: string, annotations: Record<string, string> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: uid, namespace: 'default', uid, annotations },
  spec: { containers: [], volumes: [{ name: 'v', secret: { secretName } }] },
});

let api: ReturnType<typeof fakeApi>;
let stop: AbortController;
let nowMs: number;
let references: References;
const start = (strategy: ChangeDetection, more: { maxWatched?: number } = {}): void => {
  references = createReferences({
    client: api.client,
    strategy,
    ttlMs: 1000,
    signal: stop.signal,
    log: silent,
    nowMs: () => nowMs,
    ...more,
  });
};
beforeEach(() => {
  api = fakeApi();
  stop = new AbortController();
  nowMs = 0;
});
afterEach(() => stop.abort());

const valueOf = async (name = 'a'): Promise<string | undefined> =>
  (await references.getSecret('default', name)).data?.['value'];
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await tick();
};

describe('strategy Watch', () => {
  test('lists no more than 16 objects at a time', async () => {
    start('Watch');
    const names = Array.from({ length: 100 }, (_, i) => `s${i}`);
    for (const name of names) {
      api.set(name, 'one');
      references.registerPod(podOf(name, name));
    }
    await Promise.all(names.map(name => valueOf(name)));
    expect(api.state.mostLists).toBe(16);
  });

  test('reads objects beyond the most that it watches as strategy Cache does', async () => {
    start('Watch', { maxWatched: 2 });
    for (const name of ['a', 'b', 'c']) {
      api.set(name, 'one');
      references.registerPod(podOf(name, name));
    }
    expect(await Promise.all(['a', 'b', 'c'].map(name => valueOf(name)))).toEqual([
      'one',
      'one',
      'one',
    ]);
    expect(api.state.gets).toBe(1);
    api.set('c', 'two');
    expect(await valueOf('c')).toBe('one');
    nowMs += 1000;
    expect(await valueOf('c')).toBe('two');
    references.unregisterPod('c');
    await expect(valueOf('c')).rejects.toThrow('object "default"/"c" not registered');
  });

  test('watches an object while any pod uses it', async () => {
    start('Watch');
    api.set('a', 'one');
    references.registerPod(podOf('p1', 'a'));
    references.registerPod(podOf('p2', 'a'));
    expect(await valueOf()).toBe('one');
    references.unregisterPod('p1');
    references.unregisterPod('p1');
    expect(await valueOf()).toBe('one');
    await until(() => api.state.watches.has('a'));
    references.unregisterPod('p2');
    await until(() => !api.state.watches.has('a'));
    await expect(valueOf()).rejects.toThrow('object "default"/"a" not registered');
    expect(api.state.gets).toBe(0);
  });

  test('tells of a change, and whose it is, once it can be read', async () => {
    start('Watch');
    references.registerPod(podOf('p1', 'a'));
    references.registerPod(podOf('p2', 'a'));
    references.registerPod(podOf('p3', 'b'));
    await expect(valueOf()).rejects.toMatchObject({
      notFound: true,
      message: 'secret "a" not found',
    });
    const told: unknown[] = [];
    references.onChange(change => {
      told.push(change, valueOf());
    });
    await until(() => api.state.watches.has('a'));
    api.set('a', 'one');
    await until(() => told.length === 2);
    expect(told[0]).toEqual({
      kind: 'Secret',
      namespace: 'default',
      name: 'a',
      podUids: ['p1', 'p2'],
    });
    expect(await told[1]).toBe('one');
  });

  test('lets go of what a pod names no more', async () => {
    start('Watch');
    references.registerPod(podOf('p1', 'a'));
    await until(() => api.state.watches.has('a'));
    references.registerPod(podOf('p1', 'b'));
    await until(() => api.state.watches.has('b') && !api.state.watches.has('a'));
  });
});

describe('strategy Cache', () => {
  test('reads at first use, after the TTL, and when a pod changed', async () => {
    start('Cache');
    api.set('a', 'one');
    references.registerPod(podOf('p1', 'a'));
    expect([await valueOf(), await valueOf()]).toEqual(['one', 'one']);
    expect(api.state.gets).toBe(1);
    api.set('a', 'two');
    nowMs = 999;
    references.registerPod(podOf('p1', 'a'));
    expect(await valueOf()).toBe('one');
    nowMs = 1000;
    expect(await valueOf()).toBe('two');
    api.set('a', 'three');
    references.registerPod(podOf('p1', 'a', { touched: 'now' }));
    expect(await valueOf()).toBe('three');
    expect(api.state.gets).toBe(3);
  });

  test('keeps what it has when a read fails, but not when the object is gone', async () => {
    start('Cache');
    api.set('a', 'one');
    references.registerPod(podOf('p1', 'a'));
    await valueOf();
    api.state.failing = true;
    nowMs = 1000;
    expect(await valueOf()).toBe('one');
    api.state.failing = false;
    api.set('a', undefined);
    await expect(valueOf()).rejects.toMatchObject({ notFound: true });
    expect(api.state.gets).toBe(3);
  });
});

test('strategy Get asks each time', async () => {
  start('Get');
  api.set('a', 'one');
  expect(await valueOf()).toBe('one');
  api.set('a', 'two');
  expect(await valueOf()).toBe('two');
  await expect(valueOf('none')).rejects.toMatchObject({ message: 'secret "none" not found' });
});

test('objectsOf() finds every kind of reference once', () => {
  const pod: Pod = {
    ...podOf('p', 'volume'),
    spec: {
      imagePullSecrets: [{ name: 'pull' }],
      volumes: [
        { name: 'a', secret: { secretName: 'volume' } },
        { name: 'b', configMap: { name: 'config' } },
        {
          name: 'c',
          projected: { sources: [{ secret: { name: 'volume' } }, { configMap: { name: 'ca' } }] },
        },
      ],
      initContainers: [{ name: 'i', envFrom: [{ secretRef: { name: 'init' } }] }],
      containers: [
        {
          name: 'c',
          envFrom: [{ configMapRef: { name: 'all' } }],
          env: [
            { name: 'A', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } },
            { name: 'B', valueFrom: { configMapKeyRef: { name: 'envconfig', key: 'k' } } },
          ],
        },
      ],
    },
  };
  expect(
    objectsOf(pod)
      .map(({ key }) => key)
      .toSorted(),
  ).toEqual([
    'ConfigMap/default/all',
    'ConfigMap/default/ca',
    'ConfigMap/default/config',
    'ConfigMap/default/envconfig',
    'Secret/default/env',
    'Secret/default/init',
    'Secret/default/pull',
    'Secret/default/volume',
  ]);
});

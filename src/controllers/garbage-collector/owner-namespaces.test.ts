import { setMaxListeners } from 'node:events';
import { builtInResources } from '../../../test/support/controller-context.ts';
import { afterEach, expect, test, vi } from 'vitest';
import { resources } from '../../api/index.ts';
import type { KubeClient } from '../../client/client.ts';
import { createSharedInformers } from '../../client/shared-informers.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import { notFound } from '../../machinery/status.ts';
import { garbageCollector } from './garbage-collector.ts';

type Owner = NonNullable<KubeObject['metadata']['ownerReferences']>[number];

const object = (kind: string, place: string, owners: Owner[] = []): KubeObject => {
  const [namespace = '', name = ''] = place.split('/');
  const resource = resources.find(each => each.kind === kind);
  return {
    apiVersion: resource === undefined ? 'v1' : apiVersionOf(resource),
    kind,
    metadata: {
      name,
      ...(namespace === '' ? {} : { namespace }),
      uid: `uid of ${place}`,
      ownerReferences: owners,
    },
  };
};
const ownerOf = ({ apiVersion, kind, metadata: { name = '', uid = '' } }: KubeObject): Owner => ({
  apiVersion,
  kind,
  name,
  uid,
});

let stop = (): Promise<void> => Promise.resolve();
afterEach(() => stop());

/** The garbage collector of a cluster that holds the objects, as soon as it has judged all dependents. */
async function collect(...objects: KubeObject[]): Promise<{ deleted: string[]; events: string[] }> {
  const deleted: string[] = [];
  const events: string[] = [];
  const abort = new AbortController();
  const ended = new Promise(resolve => {
    abort.signal.addEventListener('abort', () => resolve({ done: true, value: undefined }));
  });
  const ofKind = ({ kind }: Pick<ResourceDescriptor, 'kind'>) =>
    objects.filter(each => each.kind === kind);
  const reader = (resource: ResourceDescriptor) => ({
    ref: resource,
    list: () => Promise.resolve({ metadata: {}, items: ofKind(resource) }),
    watch: () => ({ [Symbol.asyncIterator]: () => ({ next: () => ended }) }),
    get(namespace: string, name: string) {
      const found = ofKind(resource).find(
        each => (each.metadata.namespace ?? '') === namespace && each.metadata.name === name,
      );
      return found === undefined
        ? Promise.reject(notFound({ group: '', plural: resource.plural }, name))
        : Promise.resolve(found);
    },
    delete(namespace: string, name: string) {
      deleted.push(`${resource.kind} ${namespace}/${name}`);
      return Promise.resolve();
    },
  });
  const client = { resource: reader, metadata: reader } as unknown as KubeClient;
  const nothing = (): void => undefined;
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const { signal } = abort;
  setMaxListeners(0, signal);
  const queue = garbageCollector.start({
    client,
    resources: builtInResources,
    informers: createSharedInformers({ client, signal, log }),
    recorder: () => ({
      event: ({ kind, metadata }, type, reason, message) =>
        void events.push(`${kind} ${metadata.name}: ${type} ${reason} ${message}`),
      flush: () => Promise.resolve(),
    }),
    signal,
    log,
  });
  stop = async () => {
    abort.abort();
    await queue.close();
  };
  await vi.waitFor(() => expect(deleted).toEqual(expect.arrayContaining(ofMarkers)));
  return { deleted: deleted.filter(each => !ofMarkers.includes(each)), events };
}

/** The last of their kind to be judged, and certainly without an owner. */
const markers = [
  object('Secret', 'zz/marker', [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'gone' },
  ]),
  object('ClusterRole', '/marker', [
    { apiVersion: 'v1', kind: 'Namespace', name: 'gone', uid: 'gone' },
  ]),
];
const ofMarkers = ['Secret zz/marker', 'ClusterRole /marker'];

test('what belongs to an owner in its own namespace stays, and goes with it', async () => {
  const owner = object('ConfigMap', 'a/owner');
  const kept = object('Secret', 'a/kept', [ownerOf(owner)]);
  const orphan = object('Secret', 'a/orphan', [ownerOf(object('ConfigMap', 'a/gone'))]);
  expect(await collect(owner, kept, orphan, ...markers)).toEqual({
    deleted: ['Secret a/orphan'],
    events: [],
  });
});

test('what belongs to an owner in no namespace stays wherever it is', async () => {
  const owner = object('ClusterRole', '/owner');
  const kept = [
    object('Secret', 'a/kept', [ownerOf(owner)]),
    object('ClusterRole', '/kept', [ownerOf(owner)]),
  ];
  expect(await collect(owner, ...kept, ...markers)).toEqual({ deleted: [], events: [] });
});

test('an owner in another namespace does not count: the dependent is deleted, and an event says why', async () => {
  const owner = object('ConfigMap', 'b/owner');
  const dependent = object('Secret', 'a/dependent', [ownerOf(owner)]);
  expect(await collect(owner, dependent, ...markers)).toEqual({
    deleted: ['Secret a/dependent'],
    events: [
      'Secret dependent: Warning OwnerRefInvalidNamespace ownerRef [v1/ConfigMap, namespace: a, name: owner, uid: uid of b/owner] does not exist in namespace "a"',
    ],
  });
});

test('nothing is concluded from an owner in a namespace where the dependent is in none: it stays, and an event says why', async () => {
  const owner = object('ConfigMap', 'b/owner');
  const dependents = [
    object('ClusterRole', '/dependent', [ownerOf(owner)]),
    object('ClusterRole', '/of-nothing', [ownerOf(object('ConfigMap', 'b/gone'))]),
  ];
  expect(await collect(owner, ...dependents, ...markers)).toEqual({
    deleted: [],
    events: [
      'ClusterRole dependent: Warning OwnerRefInvalidNamespace ownerRef [v1/ConfigMap, namespace: , name: owner, uid: uid of b/owner] does not exist in namespace ""',
    ],
  });
});

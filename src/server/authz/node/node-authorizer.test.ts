import { beforeEach, expect, test } from 'vitest';
import type { Pod } from '../../../api/core/v1/pod.ts';
import type { Attributes } from '../authorizer.ts';
import { nodeAuthorizer } from './node-authorizer.ts';
import { createPodGraph, type PodGraph } from './pod-graph.ts';

const pod = (name: string, spec: object, metadata: object = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'ns', name, uid: `uid-of-${name}`, ...metadata },
  spec: { containers: [{ name: 'main' }], ...spec },
});

/** Names a Secret or a ConfigMap in every way that there is. */
const naming: readonly { way: string; kind: 'secrets' | 'configmaps'; spec: object }[] = [
  {
    way: 'a volume',
    kind: 'secrets',
    spec: { volumes: [{ name: 'v', secret: { secretName: 'x' } }] },
  },
  {
    way: 'a projected volume',
    kind: 'secrets',
    spec: { volumes: [{ name: 'v', projected: { sources: [{ secret: { name: 'x' } }] } }] },
  },
  { way: 'a pull secret', kind: 'secrets', spec: { imagePullSecrets: [{ name: 'x' }] } },
  {
    way: 'a variable',
    kind: 'secrets',
    spec: {
      containers: [
        { name: 'c', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'x', key: 'k' } } }] },
      ],
    },
  },
  {
    way: 'envFrom of an init container',
    kind: 'secrets',
    spec: { initContainers: [{ name: 'i', envFrom: [{ secretRef: { name: 'x' } }] }] },
  },
  {
    way: 'an ephemeral container',
    kind: 'secrets',
    spec: { ephemeralContainers: [{ name: 'e', envFrom: [{ secretRef: { name: 'x' } }] }] },
  },
  {
    way: 'a volume',
    kind: 'configmaps',
    spec: { volumes: [{ name: 'v', configMap: { name: 'x' } }] },
  },
  {
    way: 'a projected volume',
    kind: 'configmaps',
    spec: { volumes: [{ name: 'v', projected: { sources: [{ configMap: { name: 'x' } }] } }] },
  },
  {
    way: 'a variable',
    kind: 'configmaps',
    spec: {
      containers: [
        {
          name: 'c',
          env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'x', key: 'k' } } }],
        },
      ],
    },
  },
  {
    way: 'envFrom',
    kind: 'configmaps',
    spec: { containers: [{ name: 'c', envFrom: [{ configMapRef: { name: 'x' } }] }] },
  },
];

let graph: PodGraph;
beforeEach(() => {
  graph = createPodGraph();
});
const ask = (attributes: Partial<Attributes>, node = 'n1') =>
  nodeAuthorizer(graph)({
    user: { name: `system:node:${node}`, groups: ['system:nodes', 'system:authenticated'] },
    isResource: true,
    verb: 'get',
    path: '',
    group: '',
    resource: '',
    subresource: '',
    namespace: 'ns',
    name: 'x',
    ...attributes,
  });
const unrelated = {
  decision: 'no-opinion',
  reason: "no relationship found between node 'n1' and this object",
};
const allowed = { decision: 'allow', reason: '' };

test.each(naming)('a node reads one of $kind that its pod names by $way', ({ kind, spec }) => {
  expect(ask({ resource: kind })).toEqual(unrelated);
  graph.put(pod('waiting', spec));
  expect(ask({ resource: kind })).toEqual(unrelated);
  graph.put(pod('waiting', { ...spec, nodeName: 'n1' }));
  for (const verb of ['get', 'list', 'watch'])
    expect(ask({ resource: kind, verb })).toEqual(allowed);
  expect(ask({ resource: kind }, 'n2').decision).toBe('no-opinion');
  expect(ask({ resource: kind, namespace: 'other' })).toEqual(unrelated);
  expect(ask({ resource: kind, name: 'y' })).toEqual(unrelated);
  graph.remove('ns', 'waiting');
  expect(ask({ resource: kind })).toEqual(unrelated);
});

test.each([
  { asked: { name: '' }, reason: 'No Object name found' },
  { asked: { verb: 'list', name: '' }, reason: 'No Object name found' },
  { asked: { namespace: '' }, reason: 'can only read namespaced object of this type' },
  { asked: { subresource: 'status' }, reason: 'cannot read subresource' },
  { asked: { verb: 'create' }, reason: 'can only read resources of this type' },
  { asked: { verb: 'deletecollection' }, reason: 'can only read resources of this type' },
])('of Secrets, $asked is refused with: $reason', ({ asked, reason }) => {
  graph.put(pod('p', { nodeName: 'n1', volumes: [{ name: 'v', secret: { secretName: 'x' } }] }));
  expect(ask({ resource: 'secrets', ...asked })).toEqual({ decision: 'no-opinion', reason });
});

test('an object is read as long as one pod of the node uses it', () => {
  const spec = { volumes: [{ name: 'v', secret: { secretName: 'x' } }] };
  graph.put(pod('a', { ...spec, nodeName: 'n1' }));
  graph.put(pod('b', { ...spec, nodeName: 'n1' }));
  graph.put(pod('c', { ...spec, nodeName: 'n2' }));
  graph.remove('ns', 'a');
  expect(ask({ resource: 'secrets' })).toEqual(allowed);
  graph.remove('ns', 'b');
  graph.remove('ns', 'b');
  expect(ask({ resource: 'secrets' })).toEqual(unrelated);
  expect(ask({ resource: 'secrets' }, 'n2')).toEqual(allowed);
});

test('a pod made again under its name brings its own objects, an ephemeral container more of them', () => {
  const secret = (secretName: string) => ({
    nodeName: 'n1',
    volumes: [{ name: 'v', secret: { secretName } }],
  });
  graph.put(pod('p', secret('x')));
  graph.put(pod('p', secret('y'), { uid: 'another' }));
  expect(ask({ resource: 'secrets', name: 'x' })).toEqual(unrelated);
  expect(ask({ resource: 'secrets', name: 'y' })).toEqual(allowed);
  const ephemeralContainers = [{ name: 'e', envFrom: [{ secretRef: { name: 'z' } }] }];
  graph.put(pod('p', { ...secret('y'), ephemeralContainers }, { uid: 'another' }));
  expect(ask({ resource: 'secrets', name: 'z' })).toEqual(allowed);
  graph.clear();
  expect(ask({ resource: 'secrets', name: 'z' })).toEqual(unrelated);
});

test('a mirror pod gives its node itself and nothing more', () => {
  const annotations = { 'kubernetes.io/config.mirror': 'x' };
  graph.put(pod('m', { nodeName: 'n1', imagePullSecrets: [{ name: 'x' }] }, { annotations }));
  expect(ask({ resource: 'secrets' })).toEqual(unrelated);
  expect(ask({ resource: 'pods', name: 'm' })).toEqual(allowed);
});

test.each([
  { asked: { name: 'mine' }, expected: allowed },
  { asked: { name: 'theirs' }, expected: unrelated },
  { asked: { verb: 'watch', name: 'mine' }, expected: allowed },
  {
    asked: { verb: 'list', name: '' },
    expected: {
      decision: 'no-opinion',
      reason: 'can only list/watch pods with spec.nodeName field selector',
    },
  },
  {
    asked: {
      verb: 'list',
      name: '',
      namespace: '',
      fieldSelector: [{ field: 'spec.nodeName', equals: true, value: 'n1' }],
    },
    expected: allowed,
  },
  ...[
    { field: 'spec.nodeName', equals: true, value: 'n2' },
    { field: 'spec.nodeName', equals: false, value: 'n1' },
    { field: 'metadata.namespace', equals: true, value: 'n1' },
  ].map(each => ({
    asked: { verb: 'watch', name: '', fieldSelector: [each] },
    expected: {
      decision: 'no-opinion',
      reason: 'can only list/watch pods with spec.nodeName field selector',
    },
  })),
  { asked: { verb: 'create', name: '' }, expected: allowed },
  { asked: { verb: 'delete', name: 'theirs' }, expected: allowed },
  { asked: { verb: 'patch', subresource: 'status' }, expected: allowed },
  { asked: { verb: 'create', subresource: 'eviction' }, expected: allowed },
  { asked: { verb: 'update' }, expected: { decision: 'no-opinion', reason: '' } },
  {
    asked: { verb: 'create', subresource: 'exec' },
    expected: { decision: 'no-opinion', reason: '' },
  },
])('of pods, $asked is answered $expected', ({ asked, expected }) => {
  graph.put(pod('mine', { nodeName: 'n1' }));
  graph.put(pod('theirs', { nodeName: 'n2' }));
  expect(ask({ resource: 'pods', ...asked })).toEqual(expected);
});

test.each([
  { asked: { name: 'n1', namespace: '' }, expected: allowed },
  {
    asked: { name: 'n2', namespace: '' },
    expected: {
      decision: 'no-opinion',
      reason: "node 'n1' cannot read 'n2', only its own Node object",
    },
  },
  {
    asked: { verb: 'list', name: '' },
    expected: {
      decision: 'no-opinion',
      reason: "node 'n1' cannot read all nodes, only its own Node object",
    },
  },
  { asked: { verb: 'create', name: '' }, expected: allowed },
  { asked: { verb: 'update', subresource: 'status' }, expected: allowed },
  { asked: { verb: 'delete', name: 'n1' }, expected: { decision: 'no-opinion', reason: '' } },
])('of nodes, $asked is answered $expected', ({ asked, expected }) => {
  expect(ask({ resource: 'nodes', ...asked })).toEqual(expected);
});

const token = {
  resource: 'serviceaccounts',
  subresource: 'token',
  verb: 'create',
  name: 'builder',
};
test.each([
  { asked: token, expected: allowed },
  { asked: { ...token, name: 'other' }, expected: unrelated },
  {
    asked: { ...token, subresource: '' },
    expected: {
      decision: 'no-opinion',
      reason: 'can only create token subresource of serviceaccount',
    },
  },
  {
    asked: { ...token, subresource: '', verb: 'get' },
    expected: {
      decision: 'no-opinion',
      reason: 'can only create tokens for individual service accounts',
    },
  },
])('of accounts, $asked is answered $expected', ({ asked, expected }) => {
  graph.put(pod('p', { nodeName: 'n1', serviceAccountName: 'builder' }));
  expect(ask(asked)).toEqual(expected);
});

const lease = { group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-node-lease' };
test.each([
  { asked: { ...lease, name: 'n1', verb: 'patch' }, reason: '' },
  { asked: { ...lease, name: '', verb: 'create' }, reason: '' },
  {
    asked: { ...lease, name: 'n2' },
    reason: 'can only access node lease with the same name as the requesting node',
  },
  {
    asked: { ...lease, name: 'n1', namespace: 'default' },
    reason: 'can only access leases in the "kube-node-lease" system namespace',
  },
  {
    asked: { ...lease, verb: 'list', name: '' },
    reason: 'can only get, create, update, patch, or delete a node lease',
  },
])('of leases, $asked is refused with: $reason', ({ asked, reason }) => {
  expect(ask(asked)).toEqual(reason === '' ? allowed : { decision: 'no-opinion', reason });
});

test.each([
  { asked: { resource: 'events', verb: 'create' }, decision: 'allow' },
  { asked: { resource: 'services', verb: 'watch' }, decision: 'allow' },
  {
    asked: { group: 'authorization.k8s.io', resource: 'subjectaccessreviews', verb: 'create' },
    decision: 'allow',
  },
  { asked: { resource: 'events', verb: 'list' }, decision: 'no-opinion' },
  { asked: { resource: 'namespaces' }, decision: 'no-opinion' },
  {
    asked: { group: 'rbac.authorization.k8s.io', resource: 'roles' },
    decision: 'no-opinion',
  },
  { asked: { isResource: false, path: '/metrics' }, decision: 'no-opinion' },
])('$asked is answered $decision', ({ asked, decision }) => {
  expect(ask(asked).decision).toBe(decision);
});

test.each([
  { name: 'system:node:n1', groups: ['system:authenticated'] },
  { name: 'n1', groups: ['system:nodes'] },
])('$name of $groups is no node', user => {
  graph.put(pod('p', { nodeName: 'n1', imagePullSecrets: [{ name: 'x' }] }));
  expect(ask({ user, resource: 'secrets' })).toEqual({ decision: 'no-opinion', reason: '' });
});

test('a node that does not say which it is gets nothing', () => {
  const user = { name: 'system:node:', groups: ['system:nodes'] };
  const fieldSelector = [{ field: 'spec.nodeName', equals: true, value: '' }];
  expect(ask({ user, resource: 'pods', verb: 'list', name: '', fieldSelector })).toEqual({
    decision: 'no-opinion',
    reason: 'unknown node for user "system:node:"',
  });
});

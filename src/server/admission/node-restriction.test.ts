import { expect, test } from 'vitest';
import { leaseResource } from '../../api/coordination.k8s.io/v1/lease.ts';
import { nodeResource, type Node } from '../../api/core/v1/node.ts';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import { secretResource } from '../../api/core/v1/secret.ts';
import { serviceAccountResource } from '../../api/core/v1/service-account.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { notFound } from '../../machinery/status.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { unkept } from '../registry/unkept.ts';
import type { AdmissionRequest } from './admission.ts';
import { nodeRestriction } from './node-restriction.ts';

const podOn = (nodeName: string, { metadata = {}, spec = {} } = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'ns', name: 'p', uid: 'pod-uid', ...metadata },
  spec: { nodeName, containers: [], ...spec },
});
const node = (name: string, { labels = {}, taints = [] as object[] } = {}): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: 'node-uid', labels },
    spec: { taints },
  }) as unknown as Node;
/** One that the garbage collector would delete. */
const ownedNode = (name: string): Node => {
  const owned = node(name);
  owned.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: 'gone', uid: 'gone' }];
  return owned;
};

/** Answers one object, as the store would. */
const holding = <T extends Pod | Node>(object: T, plural: string): ObjectStore<T> =>
  ({
    get: (_namespace: string, name: string) =>
      name === object.metadata.name
        ? Promise.resolve(unkept(object))
        : Promise.reject(notFound({ group: '', plural }, name)),
  }) as unknown as ObjectStore<T>;

/** The pod `p` has a token for the API and one for `vault`; the node has a right to ask for `registry`. */
const restrict = (bound = 'n1') =>
  nodeRestriction({
    pods: holding(podOn(bound, { spec: { volumes: [tokensFor(undefined, 'vault')] } }), 'pods'),
    nodes: holding(node('n1'), 'nodes'),
    authorize: ({ verb, resource, namespace, name }) => ({
      decision:
        verb === 'request-serviceaccounts-token-audience' &&
        [resource, namespace, name].join() === 'registry,ns,default'
          ? 'allow'
          : 'no-opinion',
      reason: '',
    }),
  });
const tokensFor = (...audiences: (string | undefined)[]) => ({
  name: 'tokens',
  projected: {
    sources: audiences.map(audience => ({
      serviceAccountToken: { path: 'token', ...(audience === undefined ? {} : { audience }) },
    })),
  },
});

const resources = {
  pods: podResource,
  nodes: nodeResource,
  leases: leaseResource,
  serviceaccounts: serviceAccountResource,
  secrets: secretResource,
} as unknown as Readonly<Record<string, ResourceDescriptor>>;

type Asked = Partial<Omit<AdmissionRequest, 'descriptor' | 'user'>> & { of: string };
const request = ({ of, ...more }: Asked, user = 'system:node:n1'): AdmissionRequest => {
  const descriptor = resources[of];
  if (descriptor === undefined) throw new Error(of);
  return {
    operation: 'create',
    subresource: '',
    namespace: 'ns',
    name: 'p',
    object: undefined,
    old: undefined,
    dryRun: false,
    warn: () => undefined,
    ...more,
    descriptor,
    user: { name: user, groups: ['system:nodes'] },
  };
};

const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'node-uid', controller: true };
const mirror = (more: { owners?: object[]; spec?: object; on?: string } = {}): Pod =>
  podOn(more.on ?? 'n1', {
    metadata: {
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      ownerReferences: more.owners ?? [owner],
    },
    ...(more.spec === undefined ? {} : { spec: more.spec }),
  });
const status = { of: 'pods', operation: 'update', subresource: 'status' } as const;
const ofNode = { of: 'nodes', name: 'n1', namespace: '' } as const;
const tokenOf = (boundObjectRef?: object, audiences?: string[]) =>
  ({
    of: 'serviceaccounts',
    subresource: 'token',
    name: 'default',
    object: { spec: { boundObjectRef, audiences } },
  }) as unknown as Asked;
const ref = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'pod-uid' };
const taint = { key: 'k', effect: 'NoSchedule' };

test.each<{ asked: Asked; refusal?: string; bound?: string }>([
  { asked: { of: 'pods', object: mirror() } },
  {
    asked: { of: 'pods', object: podOn('n1') },
    refusal:
      'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
  },
  {
    asked: { of: 'pods', object: mirror({ on: 'n2' }) },
    refusal: 'node "n1" can only create pods with spec.nodeName set to itself',
  },
  {
    asked: { of: 'pods', object: mirror({ owners: [] }) },
    refusal: 'node "n1" can only create pods with an owner reference set to itself',
  },
  {
    asked: { of: 'pods', object: mirror({ owners: [owner, owner] }) },
    refusal: 'node "n1" can only create pods with a single owner reference set to itself',
  },
  {
    asked: { of: 'pods', object: mirror({ owners: [{ ...owner, controller: false }] }) },
    refusal: 'node "n1" can only create pods with a controller owner reference set to itself',
  },
  {
    asked: { of: 'pods', object: mirror({ owners: [{ ...owner, uid: 'other' }] }) },
    refusal: 'node n1 UID mismatch: expected other got node-uid',
  },
  {
    asked: { of: 'pods', object: mirror({ spec: { serviceAccountName: 'default' } }) },
    refusal: 'node "n1" can not create pods that reference a service account',
  },
  {
    asked: { of: 'pods', object: mirror({ spec: { imagePullSecrets: [{ name: 's' }] } }) },
    refusal: 'node "n1" can not create pods that reference secrets',
  },
  {
    asked: {
      of: 'pods',
      object: mirror({ spec: { volumes: [{ name: 'v', configMap: { name: 'c' } }] } }),
    },
    refusal: 'node "n1" can not create pods that reference configmaps',
  },
  { asked: { of: 'pods', operation: 'delete', old: podOn('n1') } },
  {
    asked: { of: 'pods', operation: 'delete', old: podOn('n2') },
    refusal: 'node "n1" can only delete pods with spec.nodeName set to itself',
  },
  {
    asked: { of: 'pods', operation: 'delete', subresource: 'eviction', old: podOn('n2') },
    refusal: 'node n1 can only evict pods with spec.nodeName set to itself',
  },
  {
    asked: { of: 'pods', operation: 'update', object: podOn('n1'), old: podOn('n1') },
    refusal: 'unexpected operation "UPDATE", node "n1" can only create and delete mirror pods',
  },
  {
    asked: { of: 'pods', operation: 'update', subresource: 'resize', old: podOn('n1') },
    refusal: "unexpected pod subresource \"resize\", only 'status' and 'eviction' are allowed",
  },
  { asked: { ...status, object: podOn('n1'), old: podOn('n1') } },
  {
    asked: { ...status, object: podOn('n2'), old: podOn('n2') },
    refusal: 'node "n1" can only update pod status for pods with spec.nodeName set to itself',
  },
  {
    asked: {
      ...status,
      object: podOn('n1', { metadata: { labels: { a: 'b' } } }),
      old: podOn('n1'),
    },
    refusal: 'node "n1" cannot update labels through pod status',
  },
  {
    asked: {
      ...ofNode,
      object: node('n1', {
        labels: { 'kubernetes.io/hostname': 'n1', 'kubelet.kubernetes.io/x': '', mine: '' },
      }),
    },
  },
  {
    asked: {
      ...ofNode,
      object: node('n1', {
        labels: { 'node-role.kubernetes.io/master': '', 'a.node-restriction.kubernetes.io/b': '' },
      }),
    },
    refusal:
      'node "n1" is not allowed to set the following labels: a.node-restriction.kubernetes.io/b, node-role.kubernetes.io/master',
  },
  {
    asked: { ...ofNode, name: 'n2', operation: 'update', object: node('n2'), old: node('n2') },
    refusal: 'node "n1" is not allowed to modify node "n2"',
  },
  {
    asked: {
      ...ofNode,
      operation: 'update',
      object: ownedNode('n1'),
      old: node('n1'),
    },
    refusal: 'node "n1" is not allowed to modify ownerReferences',
  },
  {
    asked: {
      ...ofNode,
      operation: 'update',
      object: node('n1', { taints: [taint] }),
      old: node('n1'),
    },
    refusal: 'node "n1" is not allowed to modify taints',
  },
  {
    asked: {
      ...ofNode,
      operation: 'update',
      object: node('n1'),
      old: node('n1', { labels: { 'node-restriction.kubernetes.io/team': 'a' } }),
    },
    refusal: 'is not allowed to modify labels: node-restriction.kubernetes.io/team',
  },
  { asked: { of: 'leases', namespace: 'kube-node-lease', name: 'n1' } },
  {
    asked: { of: 'leases', namespace: 'kube-node-lease', name: 'n2' },
    refusal: 'can only access node lease with the same name as the requesting node',
  },
  { asked: tokenOf(ref) },
  { asked: tokenOf(ref, []) },
  { asked: tokenOf(ref, ['']) },
  { asked: tokenOf(ref, ['vault']) },
  { asked: tokenOf(ref, ['registry']) },
  {
    asked: tokenOf(ref, ['other']),
    refusal:
      'audience "other" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience',
  },
  {
    asked: tokenOf(ref, ['vault', 'registry']),
    refusal: 'node may only request 0 or 1 audiences',
  },
  { asked: tokenOf(), refusal: 'node requested token not bound to a pod' },
  {
    asked: tokenOf({ ...ref, kind: 'Secret' }),
    refusal: 'node requested token not bound to a pod',
  },
  {
    asked: tokenOf({ ...ref, uid: '' }),
    refusal: 'node requested token with a pod binding without a uid',
  },
  {
    asked: tokenOf({ ...ref, uid: 'old' }),
    refusal:
      'the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated',
  },
  {
    asked: tokenOf(ref),
    bound: 'n2',
    refusal: 'node requested token bound to a pod scheduled on a different node',
  },
  { asked: { of: 'secrets' } },
])('$asked is refused with: $refusal', async ({ asked, refusal, bound }) => {
  const outcome = restrict(bound)(request(asked));
  if (refusal === undefined) await expect(outcome).resolves.toBeUndefined();
  else {
    const { of, name = 'p' } = asked;
    const resource = of === 'leases' ? 'leases.coordination.k8s.io' : of;
    await expect(outcome).rejects.toMatchObject({
      code: 403,
      message: `${resource} "${name}" is forbidden: ${refusal}`,
    });
  }
});

test('a token for a pod that is not there is a 404', async () => {
  await expect(restrict()(request(tokenOf({ ...ref, name: 'gone' })))).rejects.toMatchObject({
    code: 404,
    message: 'pods "gone" not found',
  });
});

test('a node that does not say which it is writes nothing', async () => {
  await expect(restrict()(request({ of: 'secrets' }, 'system:node:'))).rejects.toMatchObject({
    message: 'secrets "p" is forbidden: could not determine node from user "system:node:"',
  });
});

test('others are not restricted', async () => {
  const asked = request({ of: 'pods', object: podOn('n2') }, 'jane');
  await expect(restrict()(asked)).resolves.toBeUndefined();
});

import { request } from 'node:https';
import { beforeAll, expect, test } from 'vitest';
import { nodeResource } from '../../src/api/core/v1/node.ts';
import { podResource, type Pod } from '../../src/api/core/v1/pod.ts';
import { secretResource } from '../../src/api/core/v1/secret.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import type { StatusError } from '../../src/machinery/status.ts';
import type { Kubectl } from '../support/kubectl-cli.ts';
import { busyboxPod, secret, secretVolumePod } from '../support/pods.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';
import { clientOf, createUsers, refusal, type Users } from '../support/users.ts';

const admin = sharedKubectl();
const forbidden = 'Error from server (Forbidden):';
let users: Users;
let ns: string;
let node: Kubectl;
let nodeName: string;

beforeAll(async () => {
  users = await createUsers(admin);
  ns = await freshNamespace(admin, 'node-access');
  node = await users.identity('node');
  nodeName = await admin('get nodes -o', ['jsonpath={.items[0].metadata.name}']);
  await admin.apply(
    secret('mine', { k: 'v' }, { namespace: ns }),
    secret('other', { k: 'v' }, { namespace: ns }),
    secretVolumePod('user', 'mine', { namespace: ns }),
    busyboxPod('elsewhere', {
      namespace: ns,
      spec: { nodeName: 'no-such-node', imagePullSecrets: [{ name: 'other' }] },
    }),
  );
  await own('wait pod/user --for=condition=Ready --timeout=60s');
  return async () => {
    await admin('delete clusterrolebinding node-access-eve --ignore-not-found');
    await admin(`delete namespace ${ns}`);
    await users.close();
  };
});
const own = (line: string): Promise<string> => admin(`-n ${ns} ${line}`);
const no = (what: string, why: string): string =>
  `${forbidden} ${what} is forbidden: User "system:node:${nodeName}" ${why}`;

test("a node reads by name what its pods use, and nothing of others'", async () => {
  expect(await node(`-n ${ns} get secret mine -o name`)).toBe('secret/mine');
  expect(await node(`-n ${ns} get secrets --field-selector metadata.name=mine -o name`)).toBe(
    'secret/mine',
  );
  expect(await node(`-n ${ns} get configmap kube-root-ca.crt -o name`)).toBe(
    'configmap/kube-root-ca.crt',
  );
  const unrelated = `no relationship found between node '${nodeName}' and this object`;
  const where = `in API group "" in the namespace "${ns}"`;
  for (const name of ['other', 'absent']) {
    expect(await refusal(node, `-n ${ns} get secret ${name}`)).toBe(
      no(`secrets "${name}"`, `cannot get resource "secrets" ${where}: ${unrelated}`),
    );
  }
  expect(await refusal(node, `-n ${ns} get secrets`)).toBe(
    no('secrets', `cannot list resource "secrets" ${where}: No Object name found`),
  );
  expect(await refusal(node, 'get secrets -A')).toContain(
    'can only read namespaced object of this type',
  );
  expect(await refusal(node, `-n ${ns} delete secret mine`)).toContain(
    'can only read resources of this type',
  );
});

test('a node reads what a pod uses in the moment that it learns of the pod', async () => {
  const fake = await clientOf(await users.person('system:node:fake', 'system:nodes'));
  const root = await clientOf(admin);
  const pods = fake.resource(podResource);
  const stop = new AbortController();
  const scope = { namespace: ns, fieldSelector: 'spec.nodeName=fake', signal: stop.signal };
  // The secrets are not there: who may read them hears of that, and who may not does not.
  const read = (name = ''): Promise<number> =>
    fake
      .resource(secretResource)
      .get(ns, `of-${name}`)
      .then(
        () => 200,
        (error: StatusError) => error.code,
      );
  const learnt: Promise<number>[] = [];
  const count = 60;
  const watching = (async () => {
    for await (const { type, object } of pods.watch(scope)) {
      if (type !== 'DELETED' && type !== 'BOOKMARK') learnt.push(read(object.metadata.name));
      if (learnt.length === count) return;
    }
  })();
  const target = { apiVersion: 'v1', kind: 'Node', name: 'fake' };
  try {
    for (let i = 0; i < count; i += 1) {
      const name = `fake-${i}`;
      const spec = { schedulerName: 'none', imagePullSecrets: [{ name: `of-${name}` }] };
      const born = i % 2 === 0 ? { nodeName: 'fake' } : {};
      const pod = busyboxPod(name, { namespace: ns, spec: { ...spec, ...born } });
      await root.resource(podResource).create(pod as Pod);
      if (i % 2 === 0) continue;
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target };
      const bound = root.resource(podResource).createSubresource(ns, name, 'binding', binding);
      const { items } = await pods.list(scope);
      for (const each of items) expect(await read(each.metadata.name)).toBe(404);
      await bound;
    }
    await watching;
    expect(new Set(await Promise.all(learnt))).toEqual(new Set([404]));
  } finally {
    stop.abort();
    await watching;
    await Promise.all([fake.close(), root.close()]);
  }
});

test('a node sees its own pods and itself', async () => {
  expect(await node(`get pods -A --field-selector spec.nodeName=${nodeName} -o name`)).toContain(
    'pod/user',
  );
  expect(await node(`-n ${ns} get pod user -o name`)).toBe('pod/user');
  expect(await refusal(node, `-n ${ns} get pod elsewhere`)).toContain('no relationship found');
  expect(await refusal(node, 'get pods -A')).toContain(
    'can only list/watch pods with spec.nodeName field selector',
  );
  expect(await node(`get node ${nodeName} -o name`)).toBe(`node/${nodeName}`);
  expect(await refusal(node, 'get nodes')).toContain(
    'cannot read all nodes, only its own Node object',
  );
});

test('a node writes to its own pods and to itself alone', async () => {
  const restriction = async (line: string, more: string[] = [], input = ''): Promise<string> => {
    const { code, stderr } = await node.try(line, more, { input });
    expect(code, stderr).toBe(1);
    return stderr;
  };
  expect(await restriction(`-n ${ns} delete pod elsewhere --wait=false`)).toContain(
    `node "${nodeName}" can only delete pods with spec.nodeName set to itself`,
  );
  expect(
    await restriction('create -f -', [], JSON.stringify(busyboxPod('new', { namespace: ns }))),
  ).toContain(`node "${nodeName}" can only create mirror pods`);
  expect(
    await restriction(`label node ${nodeName} node-restriction.kubernetes.io/team=a`),
  ).toContain('is not allowed to modify labels: node-restriction.kubernetes.io/team');
  expect(await restriction(`taint node ${nodeName} a=b:NoSchedule`)).toContain(
    'is not allowed to modify taints',
  );
  expect(await restriction(`-n ${ns} create token default`)).toContain(
    'node requested token not bound to a pod',
  );
  const uid = await own('get pod user -o jsonpath={.metadata.uid}');
  const bound = `--bound-object-kind Pod --bound-object-name user --bound-object-uid ${uid}`;
  expect(await node(`-n ${ns} create token default ${bound}`)).toMatch(/^ey/);
  await own('create serviceaccount unused');
  expect(await restriction(`-n ${ns} create token unused ${bound}`)).toContain(
    'no relationship found',
  );
});

test("a node shows its containers to nobody whom the API does not let, though the API's CA knows him", async () => {
  const client = await clientOf(admin);
  const { status } = await client.resource(nodeResource).get('', nodeName);
  await client.close();
  const host = status?.addresses?.find(each => each.type === 'InternalIP')?.address;
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
  const ask = async (who: Kubectl): Promise<string> => {
    const {
      certificateAuthority: ca,
      clientCertificate: cert,
      clientKey: key,
    } = await loadKubeconfig(who.kubeconfig);
    return new Promise((resolve, reject) => {
      request({ host, port, path: '/healthz', ca, cert, key, agent: false }, answer => {
        answer
          .setEncoding('utf8')
          .toArray()
          .then(chunks => resolve(`${answer.statusCode} ${chunks.join('').trim()}`), reject);
      })
        .on('error', reject)
        .end();
    });
  };
  expect(await ask(await users.person('eve'))).toBe(
    '403 Forbidden (user=eve, verb=get, resource=nodes, subresource(s)=[healthz proxy])',
  );
  expect(await ask(admin)).toBe('200 ok');
  await admin(
    'create clusterrolebinding node-access-eve --clusterrole=system:kubelet-api-admin --user=eve',
  );
  expect(await ask(await users.person('eve'))).toBe('200 ok');
});

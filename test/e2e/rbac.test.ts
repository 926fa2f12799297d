import { beforeAll, describe, expect, test } from 'vitest';
import { clusterRoleBindingResource } from '../../src/api/rbac.authorization.k8s.io/v1/cluster-role-binding.ts';
import { roleResource, type Role } from '../../src/api/rbac.authorization.k8s.io/v1/role.ts';
import { secretResource } from '../../src/api/core/v1/secret.ts';
import { createClient } from '../../src/client/http-client.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import { eventually } from '../support/eventually.ts';
import type { Kubectl } from '../support/kubectl-cli.ts';
import { busyboxPod, secret, waitReady } from '../support/pods.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';
import { clientOf, createUsers, refusal, type Users } from '../support/users.ts';

const admin = sharedKubectl();
let users: Users;
let ns: string;

beforeAll(async () => {
  users = await createUsers(admin);
  ns = await freshNamespace(admin, 'rbac');
  await admin.apply(
    secret('mine', { k: 'v' }, { namespace: ns }),
    secret('other', { k: 'v' }, { namespace: ns }),
  );
  return async () => {
    await admin(`delete namespace ${ns}`);
    await admin('delete clusterrole,clusterrolebinding -l', ['rbac.test=yes']);
    await users.close();
  };
});
const own = (line: string): Promise<string> => admin(`-n ${ns} ${line}`);
/** Makes it, and marks it to be cleaned up. */
const everywhere = async (line: string): Promise<void> => {
  const [what = ''] = (await admin(`create ${line} -o name`)).split('\n');
  await admin(`label ${what} rbac.test=yes`);
};
const forbidden = 'Error from server (Forbidden):';

describe('roles and bindings', () => {
  test('are made by kubectl create, and shown as by a real cluster', async () => {
    const made = [
      await own('create role reader --verb=get,list --resource=pods,secrets'),
      await own('create role one --verb=get --resource=secrets --resource-name=mine'),
      await own('create role logs --verb=get --resource=pods/log'),
      await own(
        `create rolebinding b --role=reader --user=u1 --group=g1 --serviceaccount=${ns}:s1`,
      ),
    ];
    expect(made).toEqual([
      'role.rbac.authorization.k8s.io/reader created',
      'role.rbac.authorization.k8s.io/one created',
      'role.rbac.authorization.k8s.io/logs created',
      'rolebinding.rbac.authorization.k8s.io/b created',
    ]);
    expect(await own('get roles reader')).toMatch(/^NAME +CREATED AT\nreader +\d{4}-.*Z$/);
    expect(await own('get rolebinding b')).toMatch(/^NAME +ROLE +AGE\nb +Role\/reader +\d+s$/);
    expect(await own('get rolebinding b -o wide')).toMatch(
      new RegExp(`USERS +GROUPS +SERVICEACCOUNTS\nb +Role/reader +\\d+s +u1 +g1 +${ns}/s1$`),
    );
    expect(await own('describe role one')).toMatch(
      /Resources +Non-Resource URLs +Resource Names +Verbs\n.*\n +secrets +\[\] +\[mine\] +\[get\]$/,
    );
    expect(await own('describe rolebinding b')).toMatch(
      /Role:\n +Kind: +Role\n +Name: +reader\nSubjects:\n.*\n.*\n +User +u1 +\n +Group +g1 +\n +ServiceAccount +s1 +/,
    );
    await everywhere('clusterrole rbac-paths --verb=get --non-resource-url=/metrics,/logs/*');
    await everywhere('clusterrolebinding rbac-paths --clusterrole=rbac-paths --group=watchers');
    expect(await admin('describe clusterrole rbac-paths')).toMatch(/\[\/logs\/\*\] +\[\] +\[get\]/);
    expect(await admin('get clusterrolebinding rbac-paths')).toMatch(/ClusterRole\/rbac-paths/);
  });

  test('cannot be what they cannot be', async () => {
    const error = async (line: string, more: string[] = [], input = ''): Promise<string> =>
      (await admin.try(`-n ${ns} ${line}`, more, { input })).stderr;
    const change = JSON.stringify([{ op: 'replace', path: '/roleRef/name', value: 'one' }]);
    expect(await error('patch rolebinding b --type=json -p', [change])).toBe(
      'The RoleBinding "b" is invalid: roleRef: Invalid value: rbac.RoleRef{APIGroup:"rbac.authorization.k8s.io", Kind:"Role", Name:"one"}: cannot change roleRef\n',
    );
    const urls = { verbs: ['get'], nonResourceURLs: ['/x'] };
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', rules: [urls] };
    expect(
      await error('create -f -', [], JSON.stringify({ ...role, metadata: { name: 'x' } })),
    ).toContain('namespaced rules cannot apply to non-resource URLs');
    expect(
      await error('create -f -', [], JSON.stringify({ ...role, metadata: { name: 'a%b' } })),
    ).toContain(`metadata.name: Invalid value: "a%b": may not contain '%'`);
  });

  test('auth reconcile makes what is missing and adds what is new', async () => {
    const role = (...verbs: string[]): string =>
      JSON.stringify({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'kept', namespace: ns },
        rules: [{ verbs, apiGroups: [''], resources: ['pods'] }],
      });
    const reconcile = (input: string) => admin('auth reconcile -f -', [], { input });
    expect(await reconcile(role('get'))).toContain(
      'role.rbac.authorization.k8s.io/kept reconciled',
    );
    await reconcile(role('list'));
    expect(await own('describe role kept')).toMatch(/pods +\[\] +\[\] +\[get list\]$/);
  });

  test('those of Kubernetes are there, and one that is labelled for it flows into another', async () => {
    expect(await admin('get clusterrole cluster-admin admin edit view -o name')).toBe(
      ['cluster-admin', 'admin', 'edit', 'view']
        .map(each => `clusterrole.rbac.authorization.k8s.io/${each}`)
        .join('\n'),
    );
    await everywhere('clusterrole rbac-widgets --verb=get --resource=secrets --resource-name=w');
    await admin('label clusterrole rbac-widgets rbac.authorization.k8s.io/aggregate-to-view=true');
    await eventually(async () =>
      /secrets +\[\] +\[w\] +\[get\]/.test(await admin('describe clusterrole admin')),
    );
    await admin('delete clusterrole rbac-widgets');
    await eventually(async () => !(await admin('describe clusterrole admin')).includes('[w]'));
  });
});

describe('a user', () => {
  let jane: Kubectl;
  beforeAll(async () => {
    jane = await users.person('jane', 'dev');
  });

  test('may learn who he is and what there is, and nothing else', async () => {
    expect(await jane('auth whoami -o', ['jsonpath={.status.userInfo}'])).toBe(
      '{"groups":["dev","system:authenticated"],"username":"jane"}',
    );
    expect(await jane('api-resources -o name')).toContain('secrets');
    expect(await refusal(jane, `-n ${ns} get secrets`)).toBe(
      `${forbidden} secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "${ns}"`,
    );
    expect(await refusal(jane, `-n ${ns} get secret mine`)).toBe(
      `${forbidden} secrets "mine" is forbidden: User "jane" cannot get resource "secrets" in API group "" in the namespace "${ns}"`,
    );
    expect(await refusal(jane, 'get --raw /metrics')).toBe(
      `${forbidden} forbidden: User "jane" cannot get path "/metrics"`,
    );
  });

  test('gets what a role allows, of the names that it says, in its namespace', async () => {
    await own('create rolebinding one --role=one --user=jane');
    expect(await jane(`-n ${ns} get secret mine -o name`)).toBe('secret/mine');
    expect(await refusal(jane, `-n ${ns} get secret other`)).toContain(
      'secrets "other" is forbidden',
    );
    expect(await refusal(jane, '-n default get secret mine')).toContain(
      'in the namespace "default"',
    );
    expect(await refusal(jane, `-n ${ns} delete secret mine`)).toContain('cannot delete resource');
  });

  test('gets it by his group, and everywhere by a ClusterRoleBinding', async () => {
    expect(await refusal(jane, `-n ${ns} logs p`)).toContain('pods "p" is forbidden');
    await own('create rolebinding logs --role=logs --group=dev');
    await own('create rolebinding readers --clusterrole=view --group=dev');
    expect(await jane(`-n ${ns} get pods`)).toBe('');
    expect(await refusal(jane, `-n ${ns} logs p`)).toContain('pods "p" not found');
    expect(await refusal(jane, 'get pods -A')).toContain('at the cluster scope');
    await everywhere('clusterrolebinding rbac-view --clusterrole=view --group=dev');
    expect(await jane('get pods -A')).toBeTypeOf('string');
    expect(await refusal(jane, 'get secrets -A')).toContain('at the cluster scope');
  });

  test('enters a container only where he may create pods/exec, as himself or as another', async () => {
    await admin.apply(busyboxPod('box', { namespace: ns }));
    await waitReady(admin, 'box', ns);
    await own('create rolebinding ed --clusterrole=edit --user=ed');
    const ed = await users.person('ed');
    const exec = `-n ${ns} exec box -- echo in`;
    expect(await ed(exec)).toBe('in');
    expect(await admin(`--as ed ${exec}`)).toBe('in');
    const refused = `${forbidden} pods "box" is forbidden: User "jane" cannot create resource "pods/exec" in API group "" in the namespace "${ns}"`;
    expect(await refusal(jane, exec)).toBe(refused);
    expect(await refusal(admin, `--as jane --as-group dev ${exec}`)).toBe(refused);
  });

  test('may at once what a binding gives, and no more once it is gone', async () => {
    const lucy = await clientOf(await users.person('lucy'));
    const root = await clientOf(admin);
    const bindings = root.resource(clusterRoleBindingResource);
    const list = () => lucy.resource(secretResource).list({ namespace: ns, limit: 1 });
    const apiGroup = 'rbac.authorization.k8s.io';
    try {
      for (let i = 0; i < 50; i += 1) {
        const name = `rbac-lucy-${i}`;
        await bindings.create({
          apiVersion: `${apiGroup}/v1`,
          kind: 'ClusterRoleBinding',
          metadata: { name },
          roleRef: { apiGroup, kind: 'ClusterRole', name: 'cluster-admin' },
          subjects: [{ apiGroup, kind: 'User', name: 'lucy' }],
        });
        expect((await list()).items).toHaveLength(1);
        await bindings.delete('', name);
        await expect(list()).rejects.toMatchObject({ code: 403 });
      }
    } finally {
      await Promise.all([lucy.close(), root.close()]);
    }
  });

  test('cannot give more than he has', async () => {
    await own('create role giver --verb=create,update,patch --resource=roles,rolebindings');
    await own('create rolebinding giver --role=giver --user=giver');
    const giver = await users.person('giver');
    expect(await refusal(giver, `-n ${ns} create role r --verb=get,list --resource=secrets`)).toBe(
      `${forbidden} roles.rbac.authorization.k8s.io "r" is forbidden: user "giver" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}`,
    );
    const bind = `-n ${ns} create rolebinding r --clusterrole=cluster-admin --user=giver`;
    expect(await refusal(giver, bind)).toContain(
      '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}',
    );
    // What he holds himself he may hand on; and any role that he may bind.
    await own('create rolebinding giver-reads --role=reader --user=giver');
    await giver(`-n ${ns} create role r --verb=get,list --resource=secrets`);
    await own('create role binder --verb=bind --resource=clusterroles --resource-name=view');
    await own('create rolebinding binder --role=binder --user=giver');
    await giver(`-n ${ns} create rolebinding r --clusterrole=view --user=somebody`);
  });

  test('who may change what is there may not make what is not by changing it', async () => {
    await own('create role changer --verb=update --resource=roles');
    await own('create rolebinding changer --role=changer --user=changer');
    const changer = await clientOf(await users.person('changer'));
    const role = (name: string): Role => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name, namespace: ns },
    });
    try {
      await changer.resource(roleResource).update(role('r'));
      await expect(changer.resource(roleResource).update(role('absent'))).rejects.toMatchObject({
        code: 403,
        message: expect.stringContaining('cannot create resource "roles"') as string,
      });
    } finally {
      await changer.close();
    }
  });

  test('acts as another only where he may impersonate', async () => {
    const { stderr } = await jane.try(`-n ${ns} get secrets --as admin --as-group system:masters`);
    expect(stderr).toBe(
      `${forbidden} users "admin" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope\n`,
    );
    await everywhere(
      'clusterrole rbac-actor --verb=impersonate --resource=users --resource-name=giver',
    );
    await everywhere('clusterrolebinding rbac-actor --clusterrole=rbac-actor --user=jane');
    expect(await jane('auth whoami --as giver -o', ['jsonpath={.status.userInfo.username}'])).toBe(
      'giver',
    );
    expect(await jane(`-n ${ns} get secrets --as giver -o name`)).toContain('secret/mine');
    expect(
      await refusal(jane, `-n ${ns} get secrets --as giver --as-group system:masters`),
    ).toContain('groups "system:masters" is forbidden');
  });

  test('who shows nothing of himself may learn how the API is, and nothing else', async () => {
    const { server, certificateAuthority = '' } = await loadKubeconfig(admin.kubeconfig);
    const nobody = createClient({ server, certificateAuthority });
    try {
      expect((await nobody.raw('GET', '/readyz')).body.toString()).toBe('ok');
      const { status, body } = await nobody.raw('GET', '/api');
      expect(status).toBe(403);
      expect(body.toString()).toContain('User \\"system:anonymous\\" cannot get path \\"/api\\"');
    } finally {
      await nobody.close();
    }
  });
});

describe('auth can-i', () => {
  test('answers for oneself and for others, with exit codes', async () => {
    const ask = async (line: string) => {
      const { code, stdout } = await admin.try(`auth can-i -n ${ns} ${line}`);
      return `${stdout.trimEnd()} ${code}`;
    };
    expect(await ask('delete secrets')).toBe('yes 0');
    expect(await ask('get secrets/mine --as jane')).toBe('yes 0');
    expect(await ask('get secrets --as jane')).toBe('no 1');
    expect(await ask('get pods --subresource=log --as x --as-group dev')).toBe('yes 0');
    expect(await ask('get /metrics --as x --as-group watchers')).toBe('yes 0');
    expect(await ask('get /logs/a --as x --as-group watchers')).toBe('yes 0');
    expect(await ask('get /version/a --as x --as-group watchers')).toBe('no 1');
    const list = await ask('--list --as jane');
    expect(list).toMatch(/^Resources +Non-Resource URLs +Resource Names +Verbs\n/);
    expect(list).toMatch(/\nsecrets +\[\] +\[mine\] +\[get\]\n/);
    expect(list).toMatch(
      /selfsubjectaccessreviews\.authorization\.k8s\.io +\[\] +\[\] +\[create\]/,
    );
  });

  test('a review says by which binding', async () => {
    const review = (user: string, namespace = ns): string =>
      JSON.stringify({
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'LocalSubjectAccessReview',
        metadata: { namespace: ns },
        spec: {
          user,
          resourceAttributes: { verb: 'get', resource: 'secrets', name: 'mine', namespace },
        },
      });
    const ask = (input: string) =>
      admin('create --validate=false -f - -o', ['jsonpath={.status}'], { input });
    expect(JSON.parse(await ask(review('jane')))).toEqual({
      allowed: true,
      reason: `RBAC: allowed by RoleBinding "one/${ns}" of Role "one" to User "jane"`,
    });
    expect(JSON.parse(await ask(review('nobody')))).toEqual({ allowed: false });
    const { stderr } = await admin.try('create --validate=false -f -', [], {
      input: review('jane', 'default'),
    });
    expect(stderr).toContain(
      'spec.resourceAttributes.namespace: Invalid value: "default": must match metadata.namespace',
    );
  });
});

describe('a service account', () => {
  test('may with its token what it is bound to', async () => {
    await own('create serviceaccount robot');
    const robot = await users.withToken(await own('create token robot'));
    expect(await refusal(robot, `-n ${ns} get secrets`)).toBe(
      `${forbidden} secrets is forbidden: User "system:serviceaccount:${ns}:robot" cannot list resource "secrets" in API group "" in the namespace "${ns}"`,
    );
    await own(`create rolebinding robot --clusterrole=edit --serviceaccount=${ns}:robot`);
    expect(await robot(`-n ${ns} get secrets -o name`)).toContain('secret/mine');
    await robot(`-n ${ns} create secret generic of-robot`);
    expect(await refusal(robot, `-n ${ns} get roles`)).toContain('cannot list resource "roles"');
    expect(await robot('get --raw /openid/v1/jwks')).toContain('"kty":"EC"');
  });
});

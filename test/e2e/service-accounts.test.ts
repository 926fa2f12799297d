import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { asToken } from '../support/as-token.ts';
import { eventually } from '../support/eventually.ts';
import { root } from '../support/keylet.ts';
import { busyboxContainer, busyboxPod, waitReady } from '../support/pods.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();
let namespace: string;
beforeAll(async () => {
  namespace = await freshNamespace(kubectl, 'accounts');
  return () => kubectl(`delete namespace ${namespace}`);
});
const n = (line: string, more?: string[]): Promise<string> =>
  kubectl(`-n ${namespace} ${line}`, more);
const tokenFile = '/var/run/secrets/kubernetes.io/serviceaccount/token';

interface Claims {
  readonly iss: string;
  readonly aud?: readonly string[];
  readonly iat: number;
  readonly exp: number;
  readonly 'kubernetes.io': { readonly pod?: { name: string }; readonly warnafter?: number };
}
const claimsOf = (token: string): Claims =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;

const review = async (token: string, audiences: readonly string[] = []) => {
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences },
  };
  const answer = await kubectl('create -o json -f -', [], { input: JSON.stringify(body) });
  const { status } = JSON.parse(answer) as {
    status: { authenticated?: boolean; user?: { username?: string; extra?: object } };
  };
  return status;
};
/** Who the API takes the bearer of a token for. */
const whoami = async (token: string) =>
  (await asToken(kubectl, token)).try('auth whoami -o jsonpath={.status.userInfo.username}');

describe('a Secret that asks for an account’s token', () => {
  const secretOf = async (name: string): Promise<Record<string, string>> => {
    const data = await n(`get secret ${name} -o jsonpath={.data}`);
    return Object.fromEntries(
      Object.entries(JSON.parse(data || '{}') as Record<string, string>).map(([key, value]) => [
        key,
        Buffer.from(value, 'base64').toString(),
      ]),
    );
  };
  const ask = (name: string, account: string): Promise<string> =>
    kubectl.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace,
        annotations: { 'kubernetes.io/service-account.name': account },
      },
      type: 'kubernetes.io/service-account-token',
    });
  const filled = (name: string): Promise<string> =>
    n(`wait secret/${name} --for=jsonpath={.data.token} --timeout=20s`);

  test('is filled, and its token is good until the Secret or the account is deleted', async () => {
    await n('create serviceaccount robot');
    await ask('robot-token', 'robot');
    await filled('robot-token');
    const secret = await secretOf('robot-token');
    expect(secret).toMatchObject({
      namespace,
      'ca.crt': expect.stringContaining('BEGIN CERTIFICATE') as string,
    });
    const uid = await n('get serviceaccount robot -o jsonpath={.metadata.uid}');
    const described = await n('describe secret robot-token');
    expect(described).toContain(`kubernetes.io/service-account.uid: ${uid}`);
    expect(described).toContain(`token:      ${secret['token']}`);
    expect(await n('describe serviceaccount robot')).toContain('robot-token');

    const token = secret['token'] ?? '';
    expect(claimsOf(token)).toMatchObject({ iss: 'kubernetes/serviceaccount' });
    expect(claimsOf(token)).not.toHaveProperty('exp');
    const user = `system:serviceaccount:${namespace}:robot`;
    expect((await whoami(token)).stdout).toBe(user);
    expect(await review(token)).toMatchObject({ authenticated: true, user: { username: user } });
    const today = new Date().toISOString().slice(0, 10);
    await n(
      `wait secret/robot-token --for=jsonpath={.metadata.labels.kubernetes\\.io/legacy-token-last-used}=${today} --timeout=20s`,
    );

    await n('label secret robot-token kubernetes.io/legacy-token-invalid-since=2026-01-01');
    expect((await whoami(token)).stderr).toContain('Unauthorized');
    await n('label secret robot-token kubernetes.io/legacy-token-invalid-since-');
    expect((await whoami(token)).code).toBe(0);

    await n('patch secret robot-token --type=json -p', ['[{"op":"remove","path":"/data/token"}]']);
    await filled('robot-token');
    await n('delete secret robot-token');
    expect((await whoami(token)).stderr).toContain('Unauthorized');

    await ask('robot-again', 'robot');
    await filled('robot-again');
    const second = (await secretOf('robot-again'))['token'] ?? '';
    await n('delete serviceaccount robot');
    expect((await whoami(second)).stderr).toContain('Unauthorized');
    await n('wait secret/robot-again --for=delete --timeout=20s');
  });

  test('goes where there is no such account', async () => {
    await ask('nobodys', 'nobody');
    await n('wait secret/nobodys --for=delete --timeout=20s');
  });
});

describe('the token of a pod', () => {
  test('is bound to the pod; others are for the audience and the time that were asked for', async () => {
    await kubectl.apply(
      busyboxPod('bound', {
        namespace,
        spec: {
          volumes: [
            {
              name: 'vault',
              projected: {
                sources: [
                  {
                    serviceAccountToken: {
                      path: 'vault',
                      audience: 'vault',
                      expirationSeconds: 7200,
                    },
                  },
                ],
              },
            },
          ],
        },
        container: { volumeMounts: [{ name: 'vault', mountPath: '/tokens' }] },
      }),
    );
    await waitReady(kubectl, 'bound', namespace);
    const read = (file: string): Promise<string> =>
      kubectl.sh('bound', `cat ${file}`, { namespace });
    const [own, vault] = [await read(tokenFile), await read('/tokens/vault')];

    const claims = claimsOf(own);
    expect(claims['kubernetes.io'].pod?.name).toBe('bound');
    // As kube-apiserver extends the tokens of admitted pods: a year, and a mark after an hour.
    expect(claims.exp - claims.iat).toBe(365 * 24 * 3600);
    expect(claims['kubernetes.io'].warnafter).toBe(claims.iat + 3607);
    const user = `system:serviceaccount:${namespace}:default`;
    expect((await whoami(own)).stdout).toBe(user);
    expect(await review(own)).toMatchObject({
      authenticated: true,
      user: {
        username: user,
        extra: {
          'authentication.kubernetes.io/pod-name': ['bound'],
          'authentication.kubernetes.io/node-name': [
            await n('get pod bound -o jsonpath={.spec.nodeName}'),
          ],
        },
      },
    });

    expect(claimsOf(vault)).toMatchObject({ aud: ['vault'] });
    expect(claimsOf(vault).exp - claimsOf(vault).iat).toBe(7200);
    expect((await whoami(vault)).stderr).toContain('Unauthorized');
    expect(await review(vault)).not.toMatchObject({ authenticated: true });
    expect(await review(vault, ['vault'])).toMatchObject({ authenticated: true });

    await n('delete pod bound');
    expect((await whoami(own)).stderr).toContain('Unauthorized');
    expect(await review(vault, ['vault'])).not.toMatchObject({ authenticated: true });
  });

  test('is not given where the pod or its account says no; a mount of one’s own is left alone', async () => {
    await n('create serviceaccount closed');
    await n('patch serviceaccount closed -p', ['{"automountServiceAccountToken":false}']);
    const of = (name: string, spec: object): object => busyboxPod(name, { namespace, spec });
    await kubectl.apply(
      of('refuses', { automountServiceAccountToken: false }),
      of('account-refuses', { serviceAccountName: 'closed' }),
      of('insists', { serviceAccountName: 'closed', automountServiceAccountToken: true }),
      busyboxPod('own', {
        namespace,
        spec: {
          volumes: [{ name: 'mine', emptyDir: {} }],
          initContainers: [busyboxContainer('init', { command: ['true'] })],
        },
        container: {
          volumeMounts: [
            { name: 'mine', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
          ],
        },
      }),
    );
    const mounts = (pod: string, of = 'containers'): Promise<string> =>
      n(`get pod ${pod} -o jsonpath={.spec.${of}[0].volumeMounts[*].name}`);
    expect(await mounts('refuses')).toBe('');
    expect(await mounts('account-refuses')).toBe('');
    expect(await mounts('insists')).toMatch(/^kube-api-access-\w{5}$/);
    expect(await mounts('own')).toBe('mine');
    expect(await mounts('own', 'initContainers')).toMatch(/^kube-api-access-\w{5}$/);
    await n('delete pod refuses account-refuses insists own');
  });
});

test('an account that enforces its mountable secrets lets its pods name no other', async () => {
  await kubectl.apply({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name: 'strict',
      namespace,
      annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' },
    },
    secrets: [{ name: 'own' }],
  });
  const podOf = (secretName: string): object =>
    busyboxPod(`strict-${secretName}`, {
      namespace,
      spec: { serviceAccountName: 'strict', volumes: [{ name: 'v', secret: { secretName } }] },
    });
  const apply = (pod: object) => kubectl.try('create -f -', [], { input: JSON.stringify(pod) });
  expect((await apply(podOf('other'))).stderr).toContain(
    'pods "strict-other" is forbidden: volume with secret.secretName="other" is not allowed because service account strict does not reference that secret',
  );
  expect((await apply(podOf('own'))).code).toBe(0);
});

describe('kubectl create token', () => {
  test('takes a duration, audiences, and an object to be bound to', async () => {
    const token = await n('create token default --duration=20m --audience=a --audience=b');
    expect(claimsOf(token)).toMatchObject({ aud: ['a', 'b'] });
    expect(claimsOf(token).exp - claimsOf(token).iat).toBe(1200);

    await n('create secret generic anchor');
    const bound = await n(
      'create token default --bound-object-kind=Secret --bound-object-name=anchor',
    );
    expect((await whoami(bound)).code).toBe(0);
    await n('delete secret anchor');
    expect((await whoami(bound)).stderr).toContain('Unauthorized');
  });

  test.each([
    [
      'create token default --duration=5m',
      'error: failed to create token: TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 300: may not specify a duration less than 10 minutes',
    ],
    [
      'create token default --bound-object-kind=Pod --bound-object-name=absent',
      'error: failed to create token: pods "absent" not found',
    ],
    ['create token absent', 'error: failed to create token: serviceaccounts "absent" not found'],
  ])('%s is refused', async (line, message) => {
    const { code, stderr } = await kubectl.try(`-n ${namespace} ${line}`);
    expect(code).toBe(1);
    expect(stderr.trim()).toBe(message);
  });

  test('a token is not bound to a pod of another account', async () => {
    await n('create serviceaccount other');
    await kubectl.apply(busyboxPod('hosts', { namespace }));
    const { stderr } = await kubectl.try(
      `-n ${namespace} create token other --bound-object-kind=Pod --bound-object-name=hosts`,
    );
    expect(stderr).toContain(
      'cannot bind token for serviceaccount "other" to pod running with different serviceaccount name.',
    );
    await n('delete pod hosts');
  });
});

test('the official JavaScript client in a pod finds the API and may what its account may', async () => {
  await n('create secret generic mine --from-literal=word=before');
  await n('create serviceaccount app');
  await n('create role secrets --verb=get,list,watch,update --resource=secrets');
  await n('create rolebinding app --role=secrets', [`--serviceaccount=${namespace}:app`]);
  await n('create configmap script', [
    `--from-file=main.mjs=${path.join(root, 'test/support/in-cluster-client.mjs')}`,
  ]);
  const hostFolders = ['/lib', '/lib64', '/usr/lib', path.join(root, 'node_modules')];
  await kubectl.apply(
    busyboxPod('app', {
      namespace,
      spec: {
        restartPolicy: 'Never',
        serviceAccountName: 'app',
        volumes: [
          { name: 'script', configMap: { name: 'script' } },
          { name: 'node', hostPath: { path: process.execPath } },
          ...hostFolders.map((folder, i) => ({ name: `f${i}`, hostPath: { path: folder } })),
        ],
      },
      container: {
        command: ['/node', '/app/main.mjs'],
        volumeMounts: [
          { name: 'node', mountPath: '/node', readOnly: true },
          { name: 'script', mountPath: '/app/main.mjs', subPath: 'main.mjs' },
          ...hostFolders.map((folder, i) => ({
            name: `f${i}`,
            mountPath: folder.endsWith('node_modules') ? '/app/node_modules' : folder,
            readOnly: true,
          })),
        ],
      },
    }),
  );
  await eventually(async () =>
    expect(await n('get pod app -o jsonpath={.status.phase}')).toMatch(/Succeeded|Failed/),
  );
  expect(JSON.parse(await n('logs app'))).toEqual({
    namespace,
    word: 'before',
    seen: 'after',
    other: `secrets "x" is forbidden: User "system:serviceaccount:${namespace}:app" cannot get resource "secrets" in API group "" in the namespace "kube-system"`,
  });
});

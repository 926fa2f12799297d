import { generateKeyPairSync } from 'node:crypto';
import {
  createLocalJWKSet,
  decodeJwt,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
  type JSONWebKeySet,
} from 'jose';
import { expect, test } from 'vitest';
import { certificateAuthenticator } from './authenticator.ts';
import { issuerDocuments } from './issuer-documents.ts';
import {
  createServiceAccountTokens,
  tokenIssuer,
  type TokenSubject,
} from './service-account-tokens.ts';

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const key = newKey();
const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string;

/** The UID of everything that lives, by kind, namespace and name. */
const alive = (): Map<string, string> =>
  new Map([
    ['ServiceAccount/default/builder', 'sa-uid'],
    ['Pod/default/web', 'pod-uid'],
    ['Secret/default/token', 'secret-uid'],
    ['Node//node-1', 'node-uid'],
  ]);
interface Deletion {
  readonly of: string;
  readonly deletionTimestamp: string;
  readonly now: () => number;
}
const issuerOf = (living: ReadonlyMap<string, string>, deletion?: Deletion) =>
  createServiceAccountTokens({
    privateKey: pem,
    ...(deletion === undefined ? {} : { now: deletion.now }),
    async lookup(kind, namespace, name) {
      const key = `${kind}/${namespace}/${name}`;
      const uid = living.get(key);
      if (uid === undefined) return undefined;
      const deleted = deletion?.of === key ? { deletionTimestamp: deletion.deletionTimestamp } : {};
      return { apiVersion: 'v1', kind, metadata: { name, uid, ...deleted } };
    },
    legacy: () => Promise.reject(new Error('no legacy token here')),
  });
const builder: TokenSubject = {
  namespace: 'default',
  name: 'builder',
  uid: 'sa-uid',
  audiences: [],
  expirationSeconds: 600,
};
const pod = { kind: 'Pod', name: 'web', uid: 'pod-uid' } as const;

test('authenticator answers the account with its groups and what its token is bound to', async () => {
  const tokens = issuerOf(alive());
  const { token, expiresAtMs } = await tokens.sign({
    ...builder,
    boundTo: pod,
    node: { name: 'node-1', uid: 'node-uid' },
  });
  const claims = decodeJwt(token);
  expect(claims).toMatchObject({
    iss: tokenIssuer,
    sub: 'system:serviceaccount:default:builder',
    aud: [tokenIssuer],
    'kubernetes.io': {
      namespace: 'default',
      serviceaccount: { name: 'builder', uid: 'sa-uid' },
      pod: { name: 'web', uid: 'pod-uid' },
      node: { name: 'node-1', uid: 'node-uid' },
    },
  });
  expect(expiresAtMs).toBe((claims.exp ?? 0) * 1000);
  expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600);
  expect(await tokens.authenticator({ certificate: undefined, token })).toEqual({
    name: 'system:serviceaccount:default:builder',
    uid: 'sa-uid',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
      'authentication.kubernetes.io/pod-name': ['web'],
      'authentication.kubernetes.io/pod-uid': ['pod-uid'],
      'authentication.kubernetes.io/node-name': ['node-1'],
      'authentication.kubernetes.io/node-uid': ['node-uid'],
    },
  });
});

test('authenticator has nothing to say where there is no token', async () => {
  expect(
    await issuerOf(alive()).authenticator({ certificate: undefined, token: undefined }),
  ).toBeUndefined();
});

const bindings = [
  { gone: 'ServiceAccount/default/builder', boundTo: undefined },
  { gone: 'Pod/default/web', boundTo: pod },
  { gone: 'Secret/default/token', boundTo: { kind: 'Secret', name: 'token', uid: 'secret-uid' } },
  { gone: 'Node//node-1', boundTo: { kind: 'Node', name: 'node-1', uid: 'node-uid' } },
] as const;

test.each(bindings)(
  'a token holds for a minute after the deletion of $gone began, though a finalizer keeps that',
  async ({ gone, boundTo }) => {
    let nowMs = Date.parse('2026-01-02T03:00:00Z');
    const tokens = issuerOf(alive(), {
      of: gone,
      deletionTimestamp: '2026-01-02T03:00:30Z',
      now: () => nowMs,
    });
    const { token } = await tokens.sign({
      ...builder,
      ...(boundTo === undefined ? {} : { boundTo }),
    });
    const ask = () => tokens.authenticator({ certificate: undefined, token });
    expect((await ask())?.uid).toBe('sa-uid');
    nowMs = Date.parse('2026-01-02T03:01:30Z');
    expect((await ask())?.uid).toBe('sa-uid');
    nowMs += 1;
    await expect(ask()).rejects.toMatchObject({ code: 401 });
  },
);

test.each(bindings)(
  'a token ends with $gone, and does not pass to one made again',
  async ({ gone, boundTo }) => {
    const living = alive();
    const tokens = issuerOf(living);
    const { token } = await tokens.sign({
      ...builder,
      ...(boundTo === undefined ? {} : { boundTo }),
    });
    const ask = () => tokens.authenticator({ certificate: undefined, token });
    expect((await ask())?.uid).toBe('sa-uid');
    living.set(gone, 'another-uid');
    await expect(ask()).rejects.toMatchObject({ code: 401, message: 'Unauthorized' });
    living.delete(gone);
    await expect(ask()).rejects.toMatchObject({ code: 401 });
  },
);

test("a pod's token outlives the node that it tells of", async () => {
  const living = alive();
  const tokens = issuerOf(living);
  const { token } = await tokens.sign({
    ...builder,
    boundTo: pod,
    node: { name: 'node-1', uid: 'node-uid' },
  });
  living.delete('Node//node-1');
  expect((await tokens.authenticator({ certificate: undefined, token }))?.uid).toBe('sa-uid');
});

test('a token for another audience is no key to the API, but verify() knows it for its own', async () => {
  const tokens = issuerOf(alive());
  const { token } = await tokens.sign({ ...builder, audiences: ['vault', 'db'] });
  await expect(tokens.authenticator({ certificate: undefined, token })).rejects.toMatchObject({
    code: 401,
  });
  const reviewed = await tokens.verify(token, ['db', 'other']);
  expect(reviewed.audiences).toEqual(['db']);
});

test('forged, expired, foreign and garbled tokens are refused', async () => {
  const tokens = issuerOf(alive());
  const { token } = await tokens.sign(builder);
  const claims = decodeJwt(token);
  const signed = (fields: object, signer = key): Promise<string> =>
    new SignJWT({ ...claims, ...fields }).setProtectedHeader({ alg: 'ES256' }).sign(signer);
  const [head = '', , signature = ''] = token.split('.');
  const swapped = Buffer.from(
    JSON.stringify({ ...claims, sub: 'system:serviceaccount:kube-system:admin' }),
  ).toString('base64url');
  const bad = {
    otherKey: await signed({}, newKey()),
    expired: await signed({ exp: Math.floor(Date.now() / 1000) - 61 }),
    notYet: await signed({ nbf: Math.floor(Date.now() / 1000) + 600 }),
    otherIssuer: await signed({ iss: 'https://elsewhere.example' }),
    noAccount: await signed({ 'kubernetes.io': undefined }),
    unsigned: new UnsecuredJWT({ ...claims }).encode(),
    changed: `${head}.${swapped}.${signature}`,
    garbled: 'not-a-token',
  };
  for (const [name, each] of Object.entries(bad)) {
    await expect(
      tokens.authenticator({ certificate: undefined, token: each }),
      name,
    ).rejects.toMatchObject({ code: 401, message: 'Unauthorized' });
  }
});

test('a token is good for a minute more at both ends: clocks differ a little', async () => {
  const tokens = issuerOf(alive());
  const { token } = await tokens.sign(builder);
  const seconds = Math.floor(Date.now() / 1000);
  for (const fields of [{ exp: seconds - 30 }, { nbf: seconds + 30 }]) {
    const edge = await new SignJWT({ ...decodeJwt(token), ...fields })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(key);
    const user = await tokens.authenticator({ certificate: undefined, token: edge });
    expect(user?.uid).toBe('sa-uid');
  }
});

test('issuerDocuments() lets others verify a token, and tells no private key', async () => {
  const { token } = await issuerOf(alive()).sign({ ...builder, audiences: ['vault'] });
  const { configuration, keys } = issuerDocuments(tokenIssuer, pem);
  expect(JSON.parse(configuration)).toMatchObject({
    issuer: tokenIssuer,
    jwks_uri: `${tokenIssuer}/openid/v1/jwks`,
  });
  const set = JSON.parse(keys) as JSONWebKeySet;
  expect(set.keys[0]).not.toHaveProperty('d');
  const { protectedHeader } = await jwtVerify(token, createLocalJWKSet(set), { audience: 'vault' });
  expect(protectedHeader.kid).toBe(set.keys[0]?.kid);
});

test.each([
  {
    subject: { commonName: 'jane', organizations: ['dev', 'ops'] },
    user: { name: 'jane', groups: ['dev', 'ops', 'system:authenticated'] },
  },
  { subject: { commonName: '', organizations: ['system:masters'] }, user: undefined },
  { subject: undefined, user: undefined },
])('certificateAuthenticator() makes $user of $subject', async ({ subject, user }) => {
  expect(await certificateAuthenticator({ certificate: subject, token: undefined })).toEqual(user);
});

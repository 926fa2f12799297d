import { expect, test } from 'vitest';
import type { Secret } from '../../api/core/v1/secret.ts';
import { legacyClaims } from '../../api/core/v1/token-secret.ts';
import type { KubeObject, ObjectMeta } from '../../machinery/meta.ts';
import { createLegacyTokens } from './legacy-tokens.ts';

const token = 'header.claims.signature';
const claims = legacyClaims({
  namespace: 'default',
  account: 'builder',
  accountUid: 'sa-uid',
  secret: 'builder-token',
});

const tokensWith = (accountMeta: ObjectMeta, secretMeta: ObjectMeta) => {
  const today = new Date().toISOString().slice(0, 10);
  const objects: KubeObject[] = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { uid: 'sa-uid', ...accountMeta } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { labels: { 'kubernetes.io/legacy-token-last-used': today }, ...secretMeta },
      data: { token: Buffer.from(token).toString('base64') },
    } as Secret,
  ];
  return createLegacyTokens({
    lookup: kind => Promise.resolve(objects.find(each => each.kind === kind)),
    secrets: { update: () => Promise.reject(new Error('nothing is written here')) },
  });
};

test('the token of a Secret is that of its account', async () => {
  const user = await tokensWith({}, {})(token, claims);
  expect(user.name).toBe('system:serviceaccount:default:builder');
});

test.each([
  ['account', { deletionTimestamp: '2026-01-02T03:00:00Z' }, {}],
  ['Secret', {}, { deletionTimestamp: '2026-01-02T03:00:00Z' }],
])('it is refused as soon as the deletion of the %s has begun', async (_, account, secret) => {
  await expect(tokensWith(account, secret)(token, claims)).rejects.toMatchObject({ code: 401 });
});

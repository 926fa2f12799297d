import { describe, expect, test } from 'vitest';
import type { Pod, Volume } from '../../api/core/v1/pod.ts';
import { NotFoundReference } from '../references/references.ts';
import type { Sources } from './plugin.ts';
import { projectedPlugin } from './projected.ts';

const none = (kind: 'Secret' | 'ConfigMap') => (_: string, name: string) =>
  Promise.reject(new NotFoundReference(kind, name));
const collect = (projected: NonNullable<Volume['projected']>, spec: Partial<Pod['spec']> = {}) => {
  const sources: Sources = {
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'n', uid: 'u' },
      spec: { containers: [{ name: 'c' }, { name: 'd' }], ...spec },
    },
    references: { getSecret: none('Secret'), getConfigMap: none('ConfigMap') },
    tokens: {
      get: () => Promise.resolve({ token: 'header.claims.signature', refreshAtMs: 5 }),
      forget: () => undefined,
    },
  };
  return projectedPlugin.collect({ name: 'v', projected }, sources);
};

describe('the file of a service account token', () => {
  const as = (...users: (number | undefined)[]): Partial<Pod['spec']> => ({
    containers: users.map((runAsUser, i) => ({ name: `c${i}`, securityContext: { runAsUser } })),
  });
  const all = (runAsUser: number) => ({ securityContext: { runAsUser } });
  test.each<[string, Partial<Pod['spec']>, number, number | undefined]>([
    ['no user', {}, 0o644, undefined],
    ['one user of the pod', all(7), 0o600, 7],
    ['root, said to be', all(0), 0o600, 0],
    ['one user of all containers', as(7, 7), 0o600, 7],
    ['users that differ', as(7, 8), 0o644, undefined],
    ['one container without', as(7, undefined), 0o644, undefined],
    ['a container over the pod', { ...as(undefined, 7), ...all(7) }, 0o600, 7],
    [
      'another init container',
      { ...all(7), initContainers: as(8).containers ?? [] },
      0o644,
      undefined,
    ],
    [
      'another ephemeral container',
      { ...all(7), ephemeralContainers: as(8).containers ?? [] },
      0o600,
      7,
    ],
    [
      'fsGroup, with which the writer lets the group read',
      { securityContext: { fsGroup: 5 } },
      0o600,
      undefined,
    ],
  ])('%s', async (_, spec, mode, uid) => {
    const { payload, refreshAtMs } = await collect(
      { sources: [{ serviceAccountToken: { path: 'a/token' } }] },
      spec,
    );
    const file = payload.get('a/token');
    expect([file?.data.toString(), file?.mode, file?.uid]).toEqual([
      'header.claims.signature',
      mode,
      uid,
    ]);
    expect(refreshAtMs).toBe(5);
  });

  test.each([
    [{ defaultUser: 4 }, {}, 4],
    [{ defaultUser: 4 }, { user: 3 }, 3],
    [{}, { user: 0 }, 0],
  ])('of an owner that someone chose: %j %j', async (volume, source, uid) => {
    const { payload } = await collect(
      {
        ...volume,
        defaultMode: 0o440,
        sources: [{ serviceAccountToken: { path: 't', ...source } }],
      },
      all(7),
    );
    expect([payload.get('t')?.uid, payload.get('t')?.mode]).toEqual([uid, 0o440]);
  });
});

test('one source that fails holds all back, and all that fail are told once', async () => {
  const sources = [
    { serviceAccountToken: { path: 'token' } },
    { secret: { name: 'a' } },
    { secret: { name: 'a', items: [{ key: 'k', path: 'p' }] } },
    { configMap: { name: 'b' } },
    { secret: { name: 'c', optional: true } },
    { configMap: { name: 'd', optional: true, items: [{ key: 'k', path: 'p' }] } },
  ];
  await expect(collect({ sources })).rejects.toThrow(
    /^\[secret "a" not found, configmap "b" not found\]$/,
  );
  const optional = sources.filter(each => !('secret' in each && each.secret?.name === 'a'));
  await expect(collect({ sources: optional })).rejects.toThrow(/^configmap "b" not found$/);
});

test('modes and owners of items go before those of the volume', async () => {
  const downwardAPI = {
    items: [
      { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
      { path: 'uid', fieldRef: { fieldPath: 'metadata.uid' }, mode: 0o400, user: 9 },
    ],
  };
  const { payload } = await collect({ defaultMode: 0o444, sources: [{ downwardAPI }] });
  expect(
    [...payload].map(([name, { data, mode, uid }]) => [name, String(data), mode, uid]),
  ).toEqual([
    ['name', 'p', 0o444, undefined],
    ['uid', 'u', 0o400, 9],
  ]);
});

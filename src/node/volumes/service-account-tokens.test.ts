import { expect, test } from 'vitest';
import type { TokenRequest } from '../../api/authentication.k8s.io/v1/reviews.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { KubeClient } from '../../client/client.ts';
import type { Logger } from '../../machinery/log.ts';
import { createServiceAccountTokens } from './service-account-tokens.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', uid: 'pod-uid' },
  spec: { containers: [], serviceAccountName: 'robot' },
};
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A server that gives numbered tokens, and can be made to refuse. */
function setUp() {
  const asked: { path: string; spec: TokenRequest['spec'] }[] = [];
  const warnings: string[] = [];
  const state = { nowMs: 0, refuses: false };
  const resource = {
    createSubresource(namespace: string, name: string, subresource: string, body: TokenRequest) {
      if (state.refuses) return Promise.reject(new Error('the server is away'));
      asked.push({ path: `${namespace}/${name}/${subresource}`, spec: body.spec });
      const seconds = body.spec.expirationSeconds ?? 0;
      const expirationTimestamp = new Date(state.nowMs + seconds * 1000).toISOString();
      return Promise.resolve({ status: { token: `token-${asked.length}`, expirationTimestamp } });
    },
  };
  const tokens = createServiceAccountTokens({
    // What is asked of the server, and what it answers, is all that matters here.
    client: { resource: () => resource } as unknown as KubeClient,
    log: { warn: (message: string) => warnings.push(message) } as unknown as Logger,
    nowMs: () => state.nowMs,
  });
  return { tokens, asked, warnings, state };
}

test('a token is asked for once, bound to its pod', async () => {
  const { tokens, asked } = setUp();
  const projection = { path: 't', audience: 'vault', expirationSeconds: 3600 };
  const first = await tokens.get(pod, projection);
  expect(await tokens.get(pod, projection)).toBe(first);
  expect(asked).toEqual([
    {
      path: 'default/robot/token',
      spec: {
        audiences: ['vault'],
        expirationSeconds: 3600,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'pod-uid' },
      },
    },
  ]);
});

test('another audience or another time is another token; a pod that ends is forgotten', async () => {
  const { tokens, asked } = setUp();
  await tokens.get(pod, { path: 'a', expirationSeconds: 3600 });
  await tokens.get(pod, { path: 'b', expirationSeconds: 7200 });
  await tokens.get(pod, { path: 'c', expirationSeconds: 3600, audience: 'db' });
  await tokens.get(pod, { path: 'd', expirationSeconds: 3600 });
  expect(asked).toHaveLength(3);
  tokens.forget('pod-uid');
  await tokens.get(pod, { path: 'a', expirationSeconds: 3600 });
  expect(asked).toHaveLength(4);
});

test.each([
  { what: 'at four fifths of its life', seconds: 3600, refreshAtMs: 48 * minuteMs },
  { what: 'after a day at the latest', seconds: 14 * 24 * 3600, refreshAtMs: 24 * hourMs },
])('a token is renewed $what', async ({ seconds, refreshAtMs }) => {
  const { tokens, state } = setUp();
  const projection = { path: 't', expirationSeconds: seconds };
  expect((await tokens.get(pod, projection)).refreshAtMs).toBe(refreshAtMs);
  state.nowMs = refreshAtMs - 1;
  expect((await tokens.get(pod, projection)).token).toBe('token-1');
  state.nowMs = refreshAtMs;
  expect((await tokens.get(pod, projection)).token).toBe('token-2');
});

test('a token that cannot be renewed is kept while it is good, and tried again soon', async () => {
  const { tokens, warnings, state } = setUp();
  const projection = { path: 't', expirationSeconds: 3600 };
  await tokens.get(pod, projection);
  state.nowMs = 50 * minuteMs;
  state.refuses = true;
  const kept = await tokens.get(pod, projection);
  expect(kept).toMatchObject({ token: 'token-1', refreshAtMs: state.nowMs + 10_000 });
  expect(warnings).toEqual(['A token could not be renewed yet']);
  state.nowMs = hourMs;
  await expect(tokens.get(pod, projection)).rejects.toThrow(
    'failed to fetch token: the server is away',
  );
  state.refuses = false;
  expect((await tokens.get(pod, projection)).token).toBe('token-2');
});

test('a token that is not valid yet, by a clock that was set back, is asked for anew', async () => {
  const { tokens, state } = setUp();
  const projection = { path: 't', expirationSeconds: 3600 };
  state.nowMs = 48 * hourMs;
  await tokens.get(pod, projection);
  state.nowMs -= 30_000;
  expect((await tokens.get(pod, projection)).token).toBe('token-1');
  state.nowMs -= 2 * hourMs;
  expect((await tokens.get(pod, projection)).token).toBe('token-2');
  expect((await tokens.get(pod, projection)).token).toBe('token-2');
});

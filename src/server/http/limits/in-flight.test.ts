import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { anonymous } from '../../authn/authenticator.ts';
import { clientOf } from './clients.ts';
import { createInFlight } from './in-flight.ts';

const from = { socket: { remoteAddress: '10.0.0.1' } } as IncomingMessage;
const user = (name: string, ...groups: string[]) => clientOf({ name, groups }, from);
const create = () => {
  const dropped: string[] = [];
  const limits = { readOnly: 4, mutating: 2, longRunning: 2 };
  return { inFlight: createInFlight(limits, kind => dropped.push(kind)), dropped };
};

test('refuses one client too many requests, in the words of Kubernetes, and serves another', () => {
  const { inFlight, dropped } = create();
  inFlight.admit(user('jane'), 'readOnly');
  const end = inFlight.admit(user('jane'), 'readOnly');
  expect(() => inFlight.admit(user('jane'), 'readOnly')).toThrow(
    expect.objectContaining({
      status: {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'Too many requests, please try again later.',
        reason: 'TooManyRequests',
        details: { retryAfterSeconds: 1 },
        code: 429,
      },
    }),
  );
  inFlight.admit(user('joe'), 'readOnly');
  expect(dropped).toEqual(['readOnly']);
  end?.();
  inFlight.admit(user('jane'), 'readOnly');
  expect(() => inFlight.admit(user('jane'), 'readOnly')).toThrow();
});

test('counts reads, writes and what runs for long apart', () => {
  const { inFlight } = create();
  for (const kind of ['mutating', 'longRunning', 'readOnly'] as const)
    inFlight.admit(user('jane'), kind);
  expect(() => inFlight.admit(user('jane'), 'mutating')).toThrow();
  expect(() => inFlight.admit(user('jane'), 'longRunning')).toThrow();
});

test('0 is no limit', () => {
  const inFlight = createInFlight({ readOnly: 0, mutating: 0, longRunning: 0 });
  for (let i = 0; i < 10_000; i += 1) inFlight.admit(user('jane'), 'mutating');
});

test('the service accounts of a namespace share as one client, beyond what each keeps', () => {
  const inFlight = createInFlight({ readOnly: 0, mutating: 100, longRunning: 0 });
  const served = (client: ReturnType<typeof user>): number => {
    for (let count = 0; ; count += 1)
      try {
        inFlight.admit(client, 'mutating');
      } catch {
        return count;
      }
  };
  const accounts = Array.from({ length: 12 }, (_, i) => user(`system:serviceaccount:team:a${i}`));
  expect(accounts.map(served)).toEqual([50, ...Array.from({ length: 11 }, () => 2)]);
  expect(served(user('system:serviceaccount:other:a'))).toBe(14);
});

test.each([
  ['an administrator', user('root', 'system:masters')],
  ['a node', user('system:node:a', 'system:nodes')],
  ['the controllers', user('system:kube-controller-manager')],
])('%s is not limited, and takes nothing from others', (_, client) => {
  const { inFlight } = create();
  for (let i = 0; i < 100; i += 1) inFlight.admit(client, 'mutating');
  inFlight.admit(user('jane'), 'mutating');
});

test('who did not say who he is counts by his address', () => {
  const { inFlight } = create();
  inFlight.admit(clientOf(anonymous, from), 'mutating');
  expect(() => inFlight.admit(clientOf(anonymous, from), 'mutating')).toThrow();
  // A user may not take an address's name to starve it.
  expect(user('address 10.0.0.1').key).not.toBe(clientOf(anonymous, from).key);
});

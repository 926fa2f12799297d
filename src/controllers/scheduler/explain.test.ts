import { expect, test } from 'vitest';
import { unschedulableMessage } from './explain.ts';
import type { Rejection } from './fit.ts';

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { containers: [] } };
const lacking = (count: number): Rejection => ({
  reasons: Array.from({ length: count }, (_, i) => `Insufficient example.com/r${i}`),
  obstacle: 'resources',
  unresolvable: true,
});

test('a pod that lacks very much is told the beginning of it', () => {
  const message = unschedulableMessage(pod, [lacking(16_000)]);
  expect(message).toContain('1 Insufficient example.com/r0, ');
  expect(message).toContain('... and 15900 more. preemption: ');
  expect(message.length).toBeLessThan(5000);
});

test('a pod that lacks little is told all of it', () => {
  expect(unschedulableMessage(pod, [lacking(2)])).toBe(
    '0/1 nodes are available: 1 Insufficient example.com/r0, 1 Insufficient example.com/r1. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  );
});

import { countSteps } from '../../../test/support/count-steps.ts';
import { expect, test } from 'vitest';
import { hostPortsOf } from '../../api/core/v1/pod/host-ports.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { createUsageByNode } from './node-usage.ts';

/** A pod with one host port on each of many addresses. */
const podOf = (uid: string, network: number, count: number): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: uid, uid },
  spec: {
    containers: [
      {
        name: 'c',
        ports: Array.from({ length: count }, (_, i) => ({
          containerPort: 80,
          hostPort: 8080,
          hostIP: `10.${network}.${i >> 8}.${i & 255}`,
        })),
      },
    ],
  },
});

test('the work for a pod grows with its host ports, not with their square', async () => {
  const stepsFor = (count: number): Promise<number> => {
    const [first, second] = [podOf('first', 1, count), podOf('second', 2, count)];
    return countSteps(() => {
      const usage = createUsageByNode();
      usage.place(first, 'n');
      const { isTaken } = usage.of('n');
      expect(hostPortsOf(second).some(isTaken)).toBe(false);
      usage.remove(first);
    });
  };
  await stepsFor(10);
  const [once, twice] = [await stepsFor(2000), await stepsFor(4000)];
  expect(twice / once).toBeLessThan(2.5);
});

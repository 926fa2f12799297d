import type { Pod } from '../../api/core/v1/pod.ts';
import { parseQuantity } from '../../machinery/quantity.ts';

/** Amounts by resource name, in nano-units. */
export type ResourceAmounts = ReadonlyMap<string, bigint>;

type Container = Pod['spec']['containers'][number];

/**
 * What a pod requests of its node: the sum of its containers and sidecars, or what an init container
 * needs beside the sidecars that started before it, where that is more; plus the overhead (KEP-753).
 */
export function podRequests({ spec }: Pick<Pod, 'spec'>): ResourceAmounts {
  const running = new Map<string, bigint>();
  for (const container of spec.containers ?? []) add(running, requestsOf(container));
  const sidecars = new Map<string, bigint>();
  const starting = new Map<string, bigint>();
  for (const container of spec.initContainers ?? []) {
    const requests = requestsOf(container);
    if (container.restartPolicy === 'Always') {
      add(running, requests);
      add(sidecars, requests);
      raise(starting, sidecars);
    } else {
      const together = new Map(sidecars);
      add(together, requests);
      raise(starting, together);
    }
  }
  raise(running, starting);
  add(running, amountsOf(spec.overhead));
  return running;
}

const requestsOf = ({ resources }: Pick<Container, 'resources'>): ResourceAmounts =>
  amountsOf(resources?.requests);

export const amountsOf = (
  quantities: Readonly<Record<string, string | number>> | undefined,
): ResourceAmounts =>
  new Map(Object.entries(quantities ?? {}).map(([name, value]) => [name, parseQuantity(value)]));

export function add(sum: Map<string, bigint>, amounts: ResourceAmounts, sign = 1n): void {
  for (const [name, amount] of amounts) sum.set(name, (sum.get(name) ?? 0n) + sign * amount);
}

function raise(maximum: Map<string, bigint>, amounts: ResourceAmounts): void {
  for (const [name, amount] of amounts)
    if (amount > (maximum.get(name) ?? 0n)) maximum.set(name, amount);
}

import { memberOf } from '../../machinery/member.ts';
import { statfsSync } from 'node:fs';
import os from 'node:os';
import type { Container } from '../../api/core/v1/pod.ts';
import { parseQuantity } from '../../machinery/quantity.ts';

const billion = 1_000_000_000n;

/** What the node has of each, in nano-units. */
const nodeHas: Record<string, () => bigint> = {
  cpu: () => BigInt(os.availableParallelism()) * billion,
  memory: () => BigInt(os.totalmem()) * billion,
  'ephemeral-storage': () => {
    const { blocks, bsize } = statfsSync('/');
    return BigInt(blocks) * BigInt(bsize) * billion;
  },
};

/**
 * A request or limit of a container, in units of the divisor, rounded up. A limit that is not set is
 * what the node has; a request that is not set is 0.
 * @throws Error where the resource is none that Kubernetes offers
 */
export function resourceValue(
  container: Pick<Container, 'resources'>,
  {
    resource,
    divisor = '1',
  }: { readonly resource: string; readonly divisor?: string | number | undefined },
): string {
  const [list, ...rest] = resource.split('.');
  const name = rest.join('.');
  const ofNode = memberOf(nodeHas, name);
  const supported = ofNode !== undefined || name.startsWith('hugepages-');
  if ((list !== 'limits' && list !== 'requests') || !supported) {
    throw new Error(`Unsupported container resource : ${resource}`);
  }
  const set = memberOf(container.resources?.[list], name);
  const unset = list === 'limits' ? (ofNode?.() ?? 0n) : 0n;
  const nano = set === undefined ? unset : parseQuantity(set);
  const asked = parseQuantity(divisor);
  const unit = asked === 0n ? billion : asked;
  return String((nano + unit - 1n) / unit);
}

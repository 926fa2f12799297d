import { leaseResource } from '../../api/coordination.k8s.io/v1/lease.ts';
import { nodeResource, type Node } from '../../api/core/v1/node.ts';
import type { KubeClient } from '../../client/client.ts';
import type { Logger } from '../../machinery/log.ts';
import { absent, isStatusError } from '../../machinery/status.ts';
import { nodeObject, type NodeFacts } from './node-object.ts';

export interface NodeRegistration {
  /** The node's UID, for events about it. */
  readonly node: Node;
  /** Whether the node is ready may have changed. */
  lookAgain(): void;
  close(): Promise<void>;
}

const leaseSeconds = 40;
const renewEveryMs = 10_000;
const statusEveryMs = 5 * 60_000;

/** Puts the node into the API and keeps it alive there: a lease often, the status when it changed or seldom. */
export async function registerNode(options: {
  readonly client: KubeClient;
  readonly facts: () => Promise<NodeFacts>;
  readonly log: Logger;
}): Promise<NodeRegistration> {
  const { client, facts, log } = options;
  const nodes = client.resource(nodeResource);
  const leases = client.resource(leaseResource);
  let wasReady: boolean | undefined;
  let toldAtMs = 0;

  const tell = async (): Promise<Node> => {
    const current = await facts();
    const name = current.nodeName;
    const old = await nodes.get('', name).catch(absent);
    const wanted = await nodeObject(current, old);
    const node = old === undefined ? await nodes.create(wanted) : await nodes.update(wanted);
    const told = await nodes.updateStatus({ ...wanted, metadata: node.metadata });
    wasReady = current.notReady === undefined;
    toldAtMs = performance.now();
    return told;
  };
  const renew = async (): Promise<void> => {
    const { nodeName } = await facts();
    const namespace = 'kube-node-lease';
    const renewTime = new Date().toISOString().replace(/(\.\d{3})Z$/, '$1000Z');
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: leaseSeconds, renewTime };
    try {
      await leases.patch(namespace, nodeName, 'merge', { spec });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      await leases.create({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: nodeName, namespace },
        spec,
      });
    }
  };

  const [node] = await Promise.all([tell(), renew()]);
  let beating: Promise<void> = Promise.resolve();
  const beat = async (): Promise<void> => {
    try {
      await renew();
      const ready = (await facts()).notReady === undefined;
      if (ready !== wasReady || performance.now() - toldAtMs > statusEveryMs) await tell();
    } catch (error) {
      log.warn('The node was not told', { error: (error as Error).message });
    }
  };
  const lookAgain = (): void => {
    beating = beating.then(beat);
  };
  const timer = setInterval(lookAgain, renewEveryMs);
  return {
    node,
    lookAgain,
    async close() {
      clearInterval(timer);
      await beating;
    },
  };
}

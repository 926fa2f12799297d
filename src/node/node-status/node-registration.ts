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
/** The kubelet's nodeStatusUpdateRetry. */
const maxConflicts = 5;

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
  let uid = '';
  let toldAtMs = 0;

  const writeNode = async (): Promise<Node> => {
    const current = await facts();
    const name = current.nodeName;
    const old = await nodes.get('', name).catch(absent);
    const wanted = await nodeObject(current, old);
    const node = old === undefined ? await nodes.create(wanted) : await nodes.update(wanted);
    // Without a version: the node controller may add taints to the node at any time.
    const { resourceVersion: _any, ...metadata } = node.metadata;
    const told = await nodes.updateStatus({ ...wanted, metadata });
    wasReady = current.notReady === undefined;
    uid = node.metadata.uid ?? '';
    toldAtMs = performance.now();
    return told;
  };
  const tell = async (): Promise<Node> => {
    for (let left = maxConflicts; ; left -= 1) {
      try {
        return await writeNode();
      } catch (error) {
        if (left === 0 || !isStatusError(error, 'Conflict')) throw error;
      }
    }
  };
  const renew = async (): Promise<void> => {
    const { nodeName } = await facts();
    const namespace = 'kube-node-lease';
    const renewTime = new Date().toISOString().replace(/(\.\d{3})Z$/, '$1000Z');
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: leaseSeconds, renewTime };
    // The lease goes with its node.
    const owner = { apiVersion: 'v1', kind: nodeResource.kind, name: nodeName, uid };
    try {
      await leases.patch(namespace, nodeName, 'merge', {
        metadata: { ownerReferences: [owner] },
        spec,
      });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
      const current = await nodes.get('', nodeName).catch(absent);
      if (current?.metadata.uid !== uid) return;
      await leases.create({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: nodeName, namespace, ownerReferences: [owner] },
        spec,
      });
    }
  };

  /** The node controller marks a node whose lease was late: its status is to be written again. */
  const isMarkedOtherwise = async (ready: boolean): Promise<boolean> => {
    const current = await nodes.get('', (await facts()).nodeName).catch(absent);
    const condition = current?.status?.conditions?.find(({ type }) => type === 'Ready');
    return condition !== undefined && condition.status !== (ready ? 'True' : 'False');
  };

  const node = await tell();
  await renew();
  let beating: Promise<void> = Promise.resolve();
  const beat = async (): Promise<void> => {
    try {
      await renew();
      const ready = (await facts()).notReady === undefined;
      const isStale = ready !== wasReady || performance.now() - toldAtMs > statusEveryMs;
      if (isStale || (await isMarkedOtherwise(ready))) await tell();
    } catch (error) {
      log.warn('Node status update failed', { error: (error as Error).message });
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

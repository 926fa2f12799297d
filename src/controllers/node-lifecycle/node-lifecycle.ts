import { leaseResource } from '../../api/coordination.k8s.io/v1/lease.ts';
import { nodeResource, type Node } from '../../api/core/v1/node.ts';
import { podResource } from '../../api/core/v1/pod.ts';
import { isStatusError } from '../../machinery/status.ts';
import { timestamp } from '../../machinery/timestamp.ts';
import { createWorkQueue } from '../../machinery/work-queue.ts';
import type { Controller } from '../controller.ts';
import { patchPodStatus, podCondition } from '../pod-status.ts';
import { wantedTaints } from './node-taints.ts';

/** kube-controller-manager's --node-monitor-period, --node-monitor-grace-period and --node-startup-grace-period. */
const monitorEveryMs = 5_000;
const gracePeriodMs = 40_000;
const startupGracePeriodMs = 60_000;

const leaseNamespace = 'kube-node-lease';
/** NetworkUnavailable is not among them: it is not the node that sets it. */
const reportedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

interface Health {
  readonly uid: string;
  /** When its status or its lease last changed, as this process saw it: clocks of nodes do not count. */
  seenAtMs: number;
  heartbeat: string;
}

/** Marks nodes that have stopped reporting, with their pods, and taints nodes by their conditions. */
export const nodeLifecycle: Controller = {
  name: 'node-controller',
  start({ client, informers, recorder: recorderOf, log }) {
    const nodes = informers.of(nodeResource);
    const leases = informers.of(leaseResource);
    const pods = informers.of(podResource);
    const nodeClient = client.resource(nodeResource);
    const recorder = recorderOf('node-controller');
    const healths = new Map<string, Health>();

    const observe = (node: Node): Health => {
      const { name = '', uid = '' } = node.metadata;
      const lease = leases.get(leaseNamespace, name);
      const heartbeat = `${readyOf(node)?.lastHeartbeatTime ?? ''} ${lease?.spec?.renewTime ?? ''}`;
      const known = healths.get(name);
      const health = known?.uid === uid ? known : { uid, seenAtMs: performance.now(), heartbeat };
      healths.set(name, health);
      if (health.heartbeat !== heartbeat) {
        health.heartbeat = heartbeat;
        health.seenAtMs = performance.now();
      }
      return health;
    };

    const queue = createWorkQueue({
      async work(name) {
        const node = nodes.get('', name);
        if (node === undefined) return;
        try {
          const { seenAtMs } = observe(node);
          const ready = readyOf(node);
          const graceMs = ready === undefined ? startupGracePeriodMs : gracePeriodMs;
          const isLost = performance.now() - seenAtMs > graceMs;
          if (isLost && ready?.status !== 'Unknown') await markUnknown(node);
          else await taint(node);
          if (isLost) await markPodsNotReady(name);
        } catch (error) {
          // Its change arrives by the watch, and is looked at then.
          if (!isStatusError(error, 'Conflict') && !isStatusError(error, 'NotFound')) throw error;
        }
      },
      onError: (node, error) =>
        log.warn('Could not update the health of a node', { node, error: String(error) }),
    });

    const markUnknown = async (node: Node): Promise<void> => {
      const now = timestamp();
      const { conditions = [] } = node.status ?? {};
      const unknown = reportedConditions.map(type => {
        const old = conditions.find(each => each.type === type);
        if (old?.status === 'Unknown') return old;
        return {
          type,
          status: 'Unknown',
          lastHeartbeatTime: old?.lastHeartbeatTime ?? node.metadata.creationTimestamp ?? now,
          lastTransitionTime: now,
          ...(old === undefined
            ? { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' }
            : { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }),
        };
      });
      const others = conditions.filter(({ type }) => !reportedConditions.includes(type));
      await nodeClient.updateStatus({
        ...node,
        status: { ...node.status, conditions: [...unknown, ...others] },
      });
      if (readyOf(node)?.status !== 'True') return;
      const { name = '' } = node.metadata;
      recorder.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
    };

    const markPodsNotReady = async (name: string): Promise<void> => {
      for (const pod of pods.list()) {
        if (pod.spec.nodeName !== name) continue;
        const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
        if (ready?.status !== 'True') continue;
        const condition = podCondition(pod, { ...ready, status: 'False' });
        await patchPodStatus(client, pod, { conditions: [condition] });
        recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
      }
    };

    const taint = async (node: Node): Promise<void> => {
      // Where no node is ready, it is the control plane that is cut off: nobody is evicted.
      const evicts = nodes.list().some(each => readyOf(each)?.status === 'True');
      const taints = wantedTaints(node, { evicts, now: timestamp() });
      if (taints === undefined) return;
      const { name = '', resourceVersion } = node.metadata;
      await nodeClient.patch('', name, 'merge', {
        metadata: { resourceVersion },
        spec: { taints: taints.length > 0 ? taints : null },
      });
    };

    const event = (node: Node, reason: string, message: string): void => {
      const { name = '' } = node.metadata;
      recorder.event(node, 'Normal', reason, `Node ${name} event: ${message}`);
    };
    nodes.onChange(({ type, object: node }) => {
      const { name = '' } = node.metadata;
      if (type === 'added') event(node, 'RegisteredNode', `Registered Node ${name} in Controller`);
      if (type === 'deleted') {
        healths.delete(name);
        event(node, 'RemovingNode', `Removing Node ${name} from Controller`);
        return;
      }
      observe(node);
      queue.add(name);
    });
    leases.onChange(({ object: { metadata } }) => {
      const node = nodes.get('', metadata.name ?? '');
      if (metadata.namespace === leaseNamespace && node !== undefined) observe(node);
    });
    const timer = setInterval(() => {
      for (const { metadata } of nodes.list()) queue.add(metadata.name ?? '');
    }, monitorEveryMs);
    return {
      async close() {
        clearInterval(timer);
        await queue.close();
      },
    };
  },
};

const readyOf = ({ status }: Node) => status?.conditions?.find(({ type }) => type === 'Ready');

import { ageOf } from '../../../../machinery/duration.ts';
import type { Column } from '../../../../machinery/resource.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import type { Pod } from './pod-schema.ts';
import type { ContainerStatus } from './status-schema.ts';

const statuses = (pod: Pod): ContainerStatus[] => pod.status?.containerStatuses ?? [];

/** STATUS, as kubectl's printers compute it (printPod). */
export function podStatusText(pod: Pod): string {
  let reason = pod.status?.reason || pod.status?.phase || 'Unknown';
  if ((pod.spec.schedulingGates ?? []).length > 0 && !pod.spec.nodeName) reason = 'SchedulingGated';
  const initializing = initText(pod);
  if (initializing !== undefined) reason = initializing;
  else {
    let running = false;
    for (const status of statuses(pod).toReversed()) {
      const { waiting, terminated } = status.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated !== undefined) reason = terminatedText(terminated);
      else if (status.ready && status.state?.running !== undefined) running = true;
    }
    if (reason === 'Completed' && running) reason = isReady(pod) ? 'Running' : 'NotReady';
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    return pod.status?.reason === 'NodeLost' ? 'Unknown' : 'Terminating';
  }
  return reason;
}

const isReady = (pod: Pod): boolean =>
  (pod.status?.conditions ?? []).some(each => each.type === 'Ready' && each.status === 'True');

type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>;
const terminatedText = ({ reason, signal, exitCode }: Terminated): string =>
  reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);

/** `Init:…` while an init container is not through. */
function initText(pod: Pod): string | undefined {
  const all = pod.spec.initContainers ?? [];
  const done = pod.status?.initContainerStatuses ?? [];
  const sidecars = sidecarNames(pod);
  for (const [i, status] of done.entries()) {
    const { waiting, terminated } = status.state ?? {};
    const sidecar = sidecars.has(status.name);
    if (terminated?.exitCode === 0 || (sidecar && status.started === true)) continue;
    if (terminated !== undefined) return `Init:${terminatedText(terminated)}`;
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
    return `Init:${i}/${all.length}`;
  }
  return undefined;
}

const sidecarNames = (pod: Pod): Set<string> =>
  new Set(
    (pod.spec.initContainers ?? [])
      .filter(each => each.restartPolicy === 'Always')
      .map(({ name }) => name),
  );

function restarts(pod: Pod, now: number): string {
  const names = sidecarNames(pod);
  const sidecars = (pod.status?.initContainerStatuses ?? []).filter(({ name }) => names.has(name));
  const all = [
    ...sidecars,
    ...(initText(pod) === undefined ? statuses(pod) : (pod.status?.initContainerStatuses ?? [])),
  ];
  const count = all.reduce((sum, status) => sum + status.restartCount, 0);
  const last = all
    .map(status => status.lastState?.terminated?.finishedAt)
    .filter(each => each !== undefined)
    .toSorted()
    .at(-1);
  return count > 0 && last !== undefined ? `${count} (${ageOf(last, now)} ago)` : String(count);
}

function readyText(pod: Pod): string {
  const sidecars = sidecarNames(pod);
  const readySidecars = (pod.status?.initContainerStatuses ?? []).filter(
    status => status.ready && sidecars.has(status.name),
  );
  const ready = statuses(pod).filter(status => status.ready && status.state?.running !== undefined);
  return `${ready.length + readySidecars.length}/${pod.spec.containers.length + sidecars.size}`;
}

const column = (
  name: string,
  description: string,
  cell: Column<Pod>['cell'],
  priority = 0,
): Column<Pod> => ({
  name,
  type: 'string',
  description,
  cell,
  priority,
});

const none = (value: string | undefined): string => value || '<none>';

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  column('Ready', 'Containers that are ready, of all', readyText),
  column('Status', 'What it does', podStatusText),
  column('Restarts', 'How often its containers were started again', restarts),
  ageColumn,
  column('IP', 'Its address', pod => none(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP), 1),
  column('Node', 'The node that it is on', pod => none(pod.spec.nodeName), 1),
  column(
    'Nominated Node',
    'The node that room is made on',
    pod => none(pod.status?.nominatedNodeName),
    1,
  ),
  column(
    'Readiness Gates',
    'Conditions that readiness waits for, those that hold of all',
    pod => {
      const gates = pod.spec.readinessGates ?? [];
      const conditions = (pod.status?.conditions ?? []).filter(({ status }) => status === 'True');
      const met = new Set(conditions.map(({ type }) => type));
      const holding = gates.filter(({ conditionType }) => met.has(conditionType));
      return gates.length === 0 ? '<none>' : `${holding.length}/${gates.length}`;
    },
    1,
  ),
];

import type { Check, CheckPod } from '../check.ts';
import { containersOf, type AnyContainer } from '../containers.ts';
import { containersNamed, distinct, plural, quoted } from '../wording.ts';

function hostsOf({
  livenessProbe,
  readinessProbe,
  startupProbe,
  lifecycle,
}: AnyContainer): string[] {
  const handlers = [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ];
  return handlers.flatMap(handler =>
    [handler?.httpGet?.host, handler?.tcpSocket?.host].flatMap(host => (host ? [host] : [])),
  );
}

const check: CheckPod = ({ spec }) => {
  const found = containersOf(spec)
    .map(container => ({ name: container.name, hosts: hostsOf(container) }))
    .filter(({ hosts }) => hosts.length > 0);
  if (found.length === 0) return undefined;
  const names = distinct(found.map(({ name }) => name));
  const hosts = distinct(found.flatMap(each => each.hosts));
  const what = plural(hosts.length, 'probe or lifecycle host', 'probe or lifecycle hosts');
  return {
    reason: 'probe or lifecycle host',
    detail: `${containersNamed(names)} ${plural(names.length, 'uses', 'use')} ${what} ${quoted(hosts)}`,
  };
};

/** Probes and hooks may not name a host: the node sends them, and it can reach what the pod cannot. */
export const hostProbesAndHostLifecycle: Check = {
  id: 'hostProbesAndHostLifecycle',
  level: 'baseline',
  versions: [{ since: 34, check }],
};

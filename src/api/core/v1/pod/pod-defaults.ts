import { readImageName } from '../../../../machinery/image-name.ts';
import { memberOf } from '../../../../machinery/member.ts';
import type { Container, Probe } from './container-schema.ts';
import type { Pod } from './pod-schema.ts';
import { unsupportedVolumeSources } from './unsupported-volume-sources.ts';
import { volumeSources, type Volume } from './volume-schema.ts';

/** What Kubernetes fills in (core/v1 SetDefaults_Pod and its like). In place. */
export function applyPodDefaults(pod: Pod): void {
  const { spec } = pod;
  if (spec === undefined) return;
  spec.restartPolicy ??= 'Always';
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  spec.securityContext ??= {};
  spec.enableServiceLinks ??= true;
  spec.preemptionPolicy ??= 'PreemptLowerPriority';
  spec.priority ??= 0;
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) spec.serviceAccountName = spec.serviceAccount = account;
  for (const volume of spec.volumes ?? []) applyVolumeDefaults(volume);
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    applyContainerDefaults(container, spec.hostNetwork === true);
  }
}

const sourceNames = Object.keys({ ...volumeSources, ...unsupportedVolumeSources }) as (
  keyof typeof volumeSources | keyof typeof unsupportedVolumeSources
)[];

function applyVolumeDefaults(volume: Volume): void {
  if (sourceNames.every(name => volume[name] === undefined)) volume.emptyDir = {};
  for (const source of [volume.secret, volume.configMap, volume.projected, volume.downwardAPI]) {
    if (source !== undefined) source.defaultMode ??= 420;
  }
  if (volume.hostPath !== undefined) volume.hostPath.type ??= '';
  const files = [
    ...(volume.downwardAPI?.items ?? []),
    ...(volume.projected?.sources ?? []).flatMap(source => source.downwardAPI?.items ?? []),
  ];
  for (const { fieldRef } of files) if (fieldRef !== undefined) fieldRef.apiVersion ??= 'v1';
  for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
    if (serviceAccountToken !== undefined) serviceAccountToken.expirationSeconds ??= 3600;
  }
}

function applyContainerDefaults(container: Container, hostNetwork: boolean): void {
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ??= 'File';
  container.imagePullPolicy ??= isLatest(container.image ?? '') ? 'Always' : 'IfNotPresent';
  container.resources ??= {};
  const { limits, requests } = container.resources;
  if (limits !== undefined) container.resources.requests = { ...limits, ...requests };
  for (const port of container.ports ?? []) {
    port.protocol ??= 'TCP';
    if (hostNetwork) port.hostPort ||= port.containerPort;
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ??= 'v1';
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe !== undefined) applyProbeDefaults(probe);
  }
}

function applyProbeDefaults(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet !== undefined) {
    probe.httpGet.path ||= '/';
    probe.httpGet.scheme ??= 'HTTP';
  }
}

/** Whether an image is named by no tag, or by `latest`, and by no digest. Invalid names have no tag; the pull reports them. */
function isLatest(image: string): boolean {
  const name = readImageName(image);
  return typeof name !== 'string' && name.tag === 'latest';
}

/** Guaranteed, Burstable or BestEffort, from the requests and limits of all containers. */
export function qosClassOf(spec: Pod['spec']): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const all = [...(spec.initContainers ?? []), ...spec.containers];
  const empty = all.every(
    ({ resources = {} }) =>
      Object.keys(resources.limits ?? {}).length + Object.keys(resources.requests ?? {}).length ===
      0,
  );
  if (empty) return 'BestEffort';
  const guaranteed = all.every(({ resources = {} }) =>
    ['cpu', 'memory'].every(name => {
      const limit = memberOf(resources.limits, name);
      return (
        limit !== undefined && String(memberOf(resources.requests, name) ?? limit) === String(limit)
      );
    }),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

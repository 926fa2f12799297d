import type { Pod } from '../../api/core/v1/pod.ts';

const clusterDomain = 'cluster.local';
const maxLabelLength = 63;
/** What the kernel's node name has room for. */
const maxFqdnLength = 64;

/** The host name of a pod: `spec.hostname`, or its name, cut to a label (kubelet's GeneratePodHostNameAndDomain). */
export const hostnameOf = ({ metadata, spec }: Pod): string =>
  (spec.hostname || (metadata.name ?? '')).slice(0, maxLabelLength).replace(/[-.]+$/, '');

/** The full name of a pod that has a subdomain; undefined without one. */
export function fqdnOf(pod: Pod): string | undefined {
  const { subdomain = '' } = pod.spec;
  if (subdomain === '') return undefined;
  return `${hostnameOf(pod)}.${subdomain}.${pod.metadata.namespace ?? ''}.svc.${clusterDomain}`;
}

/** What `hostname` answers in the pod. @throws Error where the full name was asked for and is too long */
export function kernelHostname(pod: Pod): string {
  const fqdn = fqdnOf(pod);
  if (fqdn === undefined || pod.spec.setHostnameAsFQDN !== true) return hostnameOf(pod);
  if (fqdn.length > maxFqdnLength)
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (${maxFqdnLength} characters is the max, ${fqdn.length} characters requested)`,
    );
  return fqdn;
}

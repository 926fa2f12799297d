import { memberOf } from '../../machinery/member.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { goQuote } from '../../machinery/go-quote.ts';

/** What a field of a pod may depend on that only the node knows. */
export interface PodPlace {
  readonly podIps: readonly string[];
  readonly hostIp: string;
  readonly nodeName: string;
}

/** The value of a downward API field path. @throws Error where the path is none that Kubernetes offers */
export function fieldValue(pod: Pod, fieldPath: string, place: PodPlace): string {
  const { metadata, spec } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/s.exec(fieldPath);
  if (subscript !== null) {
    const [, field = '', key = ''] = subscript;
    return memberOf(metadata[field as 'labels' | 'annotations'], key) ?? '';
  }
  const values: Record<string, () => string> = {
    'metadata.name': () => metadata.name ?? '',
    'metadata.namespace': () => metadata.namespace ?? '',
    'metadata.uid': () => metadata.uid ?? '',
    'metadata.labels': () => formatMap(metadata.labels ?? {}),
    'metadata.annotations': () => formatMap(metadata.annotations ?? {}),
    'spec.nodeName': () => spec.nodeName ?? place.nodeName,
    'spec.serviceAccountName': () => spec.serviceAccountName ?? '',
    'status.hostIP': () => place.hostIp,
    'status.hostIPs': () => place.hostIp,
    'status.podIP': () => place.podIps[0] ?? '',
    'status.podIPs': () => place.podIps.join(','),
  };
  const value = memberOf(values, fieldPath);
  if (value === undefined) throw new Error(`unsupported fieldPath: ${fieldPath}`);
  return value();
}

/** One `key="value"` a line, by key: fieldpath.FormatMap. */
const formatMap = (map: Record<string, string>): string =>
  Object.entries(map)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .join('\n');

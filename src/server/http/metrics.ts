import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { unexpectedErrors } from '../../machinery/unexpected.ts';
import type { Store } from '../../store/store.ts';

export interface RequestObservation {
  readonly verb: string;
  /** Absent for what is no resource, and for what was not authorized. */
  readonly resource?: LabelledResource | undefined;
  readonly subresource: string;
  readonly code: number;
  readonly seconds: number;
}

/** What labels come from: a client cannot make up a series. */
export type LabelledResource = Pick<ResourceDescriptor, 'group' | 'plural' | 'subresources'>;

export interface Metrics {
  observe(request: RequestObservation): void;
  /** A request that was refused because too many were in flight. */
  dropped(kind: RequestKind): void;
  /** Prometheus' text format. */
  render(): Promise<string>;
}

export type RequestKind = 'readOnly' | 'mutating' | 'longRunning';

export interface MetricsOptions {
  readonly store: Pick<Store, 'revision'>;
}

interface Series {
  readonly labels: string;
  count: number;
  seconds: number;
}

/** Label value for whatever is not declared, so that clients cannot create series. */
const other = 'other';
const knownVerbs: ReadonlySet<string> = new Set([
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
]);

/** Request counts and durations, the store's revision and the size of the process. */
export function createMetrics({ store }: MetricsOptions): Metrics {
  const series = new Map<string, Series>();
  const drops = new Map<RequestKind, number>();

  return {
    observe({ verb, resource, subresource, code, seconds }) {
      const place = placeOf(resource, subresource);
      const key = `${knownVerbs.has(verb) ? verb.toUpperCase() : other} ${codeLabel(code)} ${place}`;
      let entry = series.get(key);
      if (entry === undefined) {
        entry = { labels: labelsOf(key), count: 0, seconds: 0 };
        series.set(key, entry);
      }
      entry.count += 1;
      entry.seconds += seconds;
    },
    dropped(kind) {
      drops.set(kind, (drops.get(kind) ?? 0) + 1);
    },
    async render() {
      const lines = ['# TYPE apiserver_request_total counter'];
      for (const { labels, count } of series.values())
        lines.push(`apiserver_request_total{${labels}} ${count}`);
      lines.push('# TYPE apiserver_request_duration_seconds summary');
      for (const { labels, count, seconds } of series.values()) {
        lines.push(`apiserver_request_duration_seconds_sum{${labels}} ${seconds.toFixed(6)}`);
        lines.push(`apiserver_request_duration_seconds_count{${labels}} ${count}`);
      }
      lines.push('# TYPE apiserver_dropped_requests_total counter');
      for (const [kind, count] of drops)
        lines.push(`apiserver_dropped_requests_total{request_kind="${kind}"} ${count}`);
      lines.push(
        '# TYPE keylet_store_revision gauge',
        `keylet_store_revision ${await store.revision()}`,
      );
      lines.push(
        '# TYPE keylet_unexpected_errors_total counter',
        `keylet_unexpected_errors_total ${unexpectedErrors()}`,
        '# TYPE process_resident_memory_bytes gauge',
        `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
      );
      return `${lines.join('\n')}\n`;
    },
  };
}

/** As Prometheus' text format asks. */
const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** `<group>/<plural>/<subresource>`; a group has no slash, and the others no space. */
const placeOf = (resource: LabelledResource | undefined, subresource: string): string => {
  if (resource === undefined) return '//';
  const isDeclared = subresource === '' || Object.hasOwn(resource.subresources ?? {}, subresource);
  return `${resource.group}/${resource.plural}/${isDeclared ? subresource : other}`;
};

/** Written once a series, not for each request. */
function labelsOf(key: string): string {
  const [verb = '', code = '', place = ''] = key.split(' ');
  const [group = '', resource = '', subresource = ''] = place.split('/').map(escapeLabel);
  return `verb="${verb}",group="${group}",resource="${resource}",subresource="${subresource}",code="${code}"`;
}

/** A proxied answer could carry any number; HTTP's codes have three digits. */
const codeLabel = (code: number): string =>
  Number.isInteger(code) && code >= 100 && code <= 599 ? String(code) : other;

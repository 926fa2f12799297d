import type { ResourceDescriptor } from '../../machinery/resource.ts';
import type { Store } from '../../store/store.ts';

export interface RequestObservation {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly code: number;
  readonly seconds: number;
}

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
  /** Only these can appear in labels. */
  readonly resources: readonly Pick<ResourceDescriptor, 'group' | 'plural' | 'subresources'>[];
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
export function createMetrics({ store, resources }: MetricsOptions): Metrics {
  /** By resource: the labels that stand for it. */
  const places = new Map([
    [placeOf(noResource), placeLabels(noResource)],
    ...resources.flatMap(placesOf),
  ]);
  const series = new Map<string, Series>();
  const drops = new Map<RequestKind, number>();

  /** Adds a series once for each key, so that labels are not written for each request. */
  const seriesOf = (verb: string, place: string, code: string): Series => {
    const key = `${verb} ${place} ${code}`;
    let entry = series.get(key);
    if (entry === undefined) {
      const labels = `verb="${verb === other ? other : verb.toUpperCase()}",${places.get(place) ?? unknownPlace},code="${code}"`;
      entry = { labels, count: 0, seconds: 0 };
      series.set(key, entry);
    }
    return entry;
  };

  return {
    observe({ verb, code, seconds, ...request }) {
      const place = placeOf(request);
      const entry = seriesOf(
        knownVerbs.has(verb) ? verb : other,
        places.has(place) ? place : other,
        codeLabel(code),
      );
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

type Place = Pick<RequestObservation, 'group' | 'resource' | 'subresource'>;

const placeOf = ({ group, resource, subresource }: Place): string =>
  `${group}/${resource}/${subresource}`;

const placeLabels = ({ group, resource, subresource }: Place): string =>
  `group="${escapeLabel(group)}",resource="${escapeLabel(resource)}",subresource="${escapeLabel(subresource)}"`;

const unknownPlace = placeLabels({ group: '', resource: other, subresource: '' });
const noResource: Place = { group: '', resource: '', subresource: '' };

const placesOf = ({ group, plural, subresources = {} }: MetricsOptions['resources'][number]) =>
  ['', ...Object.keys(subresources)].map((subresource): [string, string] => {
    const place = { group, resource: plural, subresource };
    return [placeOf(place), placeLabels(place)];
  });

/** A proxied answer could carry any number; HTTP's codes have three digits. */
const codeLabel = (code: number): string =>
  Number.isInteger(code) && code >= 100 && code <= 599 ? String(code) : other;

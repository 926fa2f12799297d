import { unexpectedErrors } from '../../machinery/unexpected.ts';
import type { Store } from '../../store/store.ts';

export interface Metrics {
  observe(request: { verb: string; resource: string; code: number; seconds: number }): void;
  /** Prometheus' text form. */
  render(): Promise<string>;
}

interface Series {
  count: number;
  seconds: number;
}

/** Counts and times of requests by verb, resource and code, with the store's revision and the process' size. */
export function createMetrics(store: Store): Metrics {
  const series = new Map<string, Series>();
  return {
    observe({ verb, resource, code, seconds }) {
      const labels = `verb="${verb.toUpperCase()}",resource="${resource}",code="${code}"`;
      const known = series.get(labels);
      if (known === undefined) series.set(labels, { count: 1, seconds });
      else {
        known.count += 1;
        known.seconds += seconds;
      }
    },
    async render() {
      const lines = ['# TYPE apiserver_request_total counter'];
      for (const [labels, { count }] of series)
        lines.push(`apiserver_request_total{${labels}} ${count}`);
      lines.push('# TYPE apiserver_request_duration_seconds summary');
      for (const [labels, { count, seconds }] of series) {
        lines.push(`apiserver_request_duration_seconds_sum{${labels}} ${seconds.toFixed(6)}`);
        lines.push(`apiserver_request_duration_seconds_count{${labels}} ${count}`);
      }
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

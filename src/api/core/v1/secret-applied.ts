import type { ObjectMeta } from '../../../machinery/meta.ts';
import { isRecord } from '../../../machinery/patch/merge-patch.ts';

/** Asks for what Kubernetes does not do: see docs/secrets.md. */
const wish = 'keylet.dev/apply';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

interface Applied {
  readonly metadata: ObjectMeta;
  data?: Record<string, string> | undefined;
}

/**
 * Where a Secret wishes it (`keylet.dev/apply: tidy`): keys that left `stringData` since the last
 * `kubectl apply` leave `data` too, and what was applied is kept without its values. kubectl needs
 * only the keys, to know what to take out. In place.
 */
export function tidyApplied(next: Applied, old?: Applied): void {
  const { annotations } = next.metadata;
  if (annotations?.[wish] !== 'tidy') return;
  const applied = parse(annotations[lastApplied]);
  if (applied === undefined) return;
  const before = parse(old?.metadata.annotations?.[lastApplied]);
  const declared = new Set([...keysOf(applied['data']), ...keysOf(applied['stringData'])]);
  for (const key of keysOf(before?.['stringData'])) {
    if (!declared.has(key) && next.data !== undefined) delete next.data[key];
  }
  // kubectl ends it with a line break.
  annotations[lastApplied] = `${JSON.stringify(withoutValues(applied))}\n`;
}

function parse(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const keysOf = (values: unknown): string[] => (isRecord(values) ? Object.keys(values) : []);

const withoutValues = (applied: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(applied).map(([name, value]) => [
      name,
      (name === 'data' || name === 'stringData') && isRecord(value)
        ? Object.fromEntries(Object.keys(value).map(key => [key, '']))
        : value,
    ]),
  );

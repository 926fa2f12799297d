import type { Event } from '../api/core/v1/event.ts';
import { createRecent } from './recent.ts';

/** What becomes of an event: it is told, or counted onto one that was told before. */
export interface Correlated {
  readonly event: Event;
  /** The earlier one's name, and how often it was seen with this one. */
  readonly repeated: { readonly name: string; readonly count: number } | undefined;
}

/** client-go's EventCorrelator: nobody drowns in events, and the API does not either. */
export interface EventCorrelator {
  /** @returns undefined when there were too many of its object: it is dropped */
  correlate(event: Event): Correlated | undefined;
}

/** What is told of is remembered, and may be whatever a container printed. */
const maxMessageLength = 10 * 1024;
const maxRemembered = 4096;
/** So many like ones with other messages within the interval are told one by one. */
const maxSimilar = 10;
const similarIntervalMs = 10 * 60_000;
/** An object may tell that many at once, and then one more each while. */
const burst = 25;
const refillMs = 5 * 60_000;

/** @param now milliseconds */
export function createEventCorrelator(now: () => number = Date.now): EventCorrelator {
  const similar = createRecent<{ messages: Set<string>; atMs: number }>(maxRemembered);
  const told = createRecent<{ name: string; count: number }>(maxRemembered);
  const allowances = createRecent<{ left: number; atMs: number }>(maxRemembered);

  /** Those that differ in their message alone become one, once they are many. */
  const aggregate = (event: Event): { event: Event; key: string } => {
    const kin = keyOf([...source(event), event.type, event.reason]);
    const before = similar.get(kin);
    const fresh = before === undefined || now() - before.atMs > similarIntervalMs;
    const messages = fresh ? new Set<string>() : before.messages;
    const { message = '' } = event;
    if (messages.size < maxSimilar) messages.add(message);
    similar.set(kin, { messages, atMs: now() });
    return messages.size < maxSimilar
      ? { event, key: keyOf([kin, event.involvedObject.fieldPath, message]) }
      : { event: { ...event, message: `(combined from similar events): ${message}` }, key: kin };
  };

  const isAllowed = (event: Event): boolean => {
    const key = keyOf(source(event));
    const { left, atMs } = allowances.get(key) ?? { left: burst, atMs: now() };
    const refilled = Math.min(burst, left + (now() - atMs) / refillMs);
    const allowed = refilled >= 1;
    allowances.set(key, { left: allowed ? refilled - 1 : refilled, atMs: now() });
    return allowed;
  };

  return {
    correlate(given) {
      const { event, key } = aggregate(shortened(given));
      const before = told.get(key);
      const name = before?.name ?? event.metadata.name ?? '';
      const count = (before?.count ?? 0) + 1;
      told.set(key, { name, count });
      if (!isAllowed(event)) return undefined;
      return { event, repeated: before === undefined ? undefined : { name, count } };
    },
  };
}

const shortened = (event: Event): Event => {
  const { message = '' } = event;
  if (message.length <= maxMessageLength) return event;
  // A copy: a slice would keep the whole of it.
  const kept = Buffer.from(message.slice(0, maxMessageLength)).toString();
  return { ...event, message: `${kept}... (cut)` };
};

const keyOf = (parts: readonly (string | undefined)[]): string => parts.join('\n');

/** Who tells of what. */
const source = ({ source: { component, host } = {}, involvedObject }: Event) => {
  const { apiVersion, kind, namespace, name, uid } = involvedObject;
  return [component, host, apiVersion, kind, namespace, name, uid];
};

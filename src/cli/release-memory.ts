import { performance } from 'node:perf_hooks';

/** The first pods, applied by who waited for the node, come before it. */
const firstLookMs = 2000;
const lookEveryMs = 5000;
/** Less is not worth a pause. */
const worthBytes = 48 * 1024 * 1024;
/** A collection stops everything for a moment: not while there is much to do. */
const maxUtilization = 0.5;

/**
 * Gives back what the start, or much work, needed and nothing needs any more: V8 collects when it needs
 * room, and idle it needs none. Of Node's ways to ask for it this one alone also returns the pages.
 */
export function startMemoryRelease(): { close(): void } {
  /** Resident after the last collection. */
  let keptBytes = 0;
  let utilization = performance.eventLoopUtilization();
  const look = async (): Promise<void> => {
    const before = utilization;
    utilization = performance.eventLoopUtilization();
    const isBusy =
      performance.eventLoopUtilization(utilization, before).utilization > maxUtilization;
    const isWorth = process.memoryUsage.rss() - keptBytes > worthBytes;
    if (isBusy || !isWorth) return;
    await collect();
    keptBytes = process.memoryUsage.rss();
  };
  const lookQuietly = (): void => void look().catch(() => undefined);
  const timer = setTimeout(lookQuietly, firstLookMs).unref();
  const later = setInterval(lookQuietly, lookEveryMs).unref();
  return {
    close() {
      clearTimeout(timer);
      clearInterval(later);
    },
  };
}

async function collect(): Promise<void> {
  // Not every Node is built with it.
  const { Session } = await import('node:inspector');
  const session = new Session();
  session.connect();
  await new Promise<void>(resolve => {
    session.post('HeapProfiler.collectGarbage', () =>
      // Not in the callback itself: Node 20 waits for ever then.
      setImmediate(() => {
        session.disconnect();
        resolve();
      }),
    );
  });
}

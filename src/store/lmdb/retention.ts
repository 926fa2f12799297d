/** How much history stays readable behind the newest revision. */
export interface RetentionLimits {
  /** What is younger stays, within the other two limits. */
  readonly keepMs: number;
  readonly maxRevisions: number;
  readonly maxBytes: number;
}

export const defaultRetention: RetentionLimits = {
  keepMs: 10 * 60_000,
  maxRevisions: 100_000,
  maxBytes: 64 * 1024 * 1024,
};

export interface Retention {
  /** A commit of that many bytes is on disk. */
  wrote(revision: number, bytes: number): void;
  /** Ends the timer and waits for the compaction under way. */
  close(): Promise<void>;
}

export interface RetentionOptions {
  readonly limits: RetentionLimits;
  /** The newest revision at the start. */
  readonly revision: number;
  readonly compact: (revision: number) => Promise<void>;
}

/**
 * Compacts by age (a timer that runs only while there is something to forget) and by size (seen at
 * the writes; a compaction forgets a fifth of what is allowed, so that few are needed).
 */
export function startRetention({ limits, revision, compact }: RetentionOptions): Retention {
  const step = {
    revisions: Math.max(1, Math.floor(limits.maxRevisions / 5)),
    bytes: limits.maxBytes / 5,
  };
  /** Where each step of the history ends, the oldest first. */
  const marks: { revision: number; bytes: number }[] = [];
  let newest = revision;
  let open = { from: revision, bytes: 0 };
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const run = (until: number): void => {
    running ??= compact(until)
      // What could not be compacted now is next time.
      .catch(() => undefined)
      .finally(() => (running = undefined));
  };
  const arm = (): void => {
    if (timer !== undefined) return;
    const until = newest;
    timer = setTimeout(() => {
      timer = undefined;
      run(until);
      if (newest > until) arm();
    }, limits.keepMs).unref();
  };

  arm();
  return {
    wrote(at, bytes) {
      newest = Math.max(newest, at);
      open.bytes += bytes;
      arm();
      if (at - open.from < step.revisions && open.bytes < step.bytes) return;
      marks.push({ revision: at, bytes: open.bytes });
      open = { from: at, bytes: 0 };
      const kept = marks.reduce((sum, mark) => sum + mark.bytes, 0);
      const [oldest] = marks;
      const behind = at - (oldest?.revision ?? at);
      if (behind >= limits.maxRevisions - step.revisions || kept > limits.maxBytes) {
        marks.shift();
        if (oldest !== undefined) run(oldest.revision);
      }
    },
    async close() {
      clearTimeout(timer);
      timer = undefined;
      await running;
    },
  };
}

import type { Change } from './change.ts';

const maxChanges = 1000;
const maxBytes = 8 * 1024 * 1024;

/** The last changes, for watchers that come back; older ones are the store's to replay. */
export interface RecentChanges {
  add(change: Change): void;
  /** Those after that revision; undefined when not all of them are here. */
  since(revision: number): readonly Change[] | undefined;
}

/** @param revision since when all changes are given to `add` */
export function createRecentChanges(revision: number): RecentChanges {
  let complete = revision;
  let bytes = 0;
  const changes: Change[] = [];
  return {
    add(change) {
      changes.push(change);
      bytes += change.object.json.length;
      if (changes.length <= maxChanges && bytes <= maxBytes) return;
      // Half at once: dropping one by one would move the rest each time.
      for (const gone of changes.splice(0, Math.ceil(changes.length / 2))) {
        complete = gone.revision;
        bytes -= gone.object.json.length;
      }
    },
    since: after =>
      after < complete ? undefined : changes.filter(change => change.revision > after),
  };
}

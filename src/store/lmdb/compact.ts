import { isDelete, previousRevisionOf } from './record.ts';
import { compactedOf, type Tables } from './tables.ts';

/** Commits whose remains are dropped in one transaction: others' writes wait no longer than that. */
const chunk = 1000;

/**
 * Drops what only revisions before `until` show, a chunk of commits at most. To be run inside a
 * write transaction. What a commit up to `until` superseded goes, and deletions among these commits;
 * what is current stays, and what a later commit superseded until that one is compacted.
 * @returns whether there is more to do
 */
export function compactChunk(tables: Tables, until: number): boolean {
  const { commits, meta } = tables;
  const from = compactedOf(tables);
  const to = Math.min(until, from + chunk);
  if (to <= from) return false;
  const gone: number[] = [];
  for (const { key: revision, value } of commits.getRange({ start: from + 1, end: to + 1 })) {
    const previous = previousRevisionOf(value);
    if (previous > 0) gone.push(previous);
    if (isDelete(value)) gone.push(revision);
  }
  for (const revision of gone) void commits.remove(revision);
  void meta.put('compacted', to);
  return to < until;
}

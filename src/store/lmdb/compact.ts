import { isDelete, keyOf, modRevisionOf, previousRevisionOf } from './record.ts';
import { compactedOf, type Tables } from './tables.ts';

/** Commits whose remains are dropped in one transaction: others' writes wait no longer than that. */
const chunk = 1000;

/**
 * Drops what only revisions before `until` show, a chunk of commits at most. To be run inside a
 * write transaction. What a commit up to `until` superseded goes; of these commits themselves go
 * deletions and what is current (its value is in the other table, and the next write of its key
 * brings it back); what a later commit superseded stays until that one is compacted.
 * @returns whether there is more to do
 */
export function compactChunk(tables: Tables, until: number): boolean {
  const { current, history, meta } = tables;
  const from = compactedOf(tables);
  const to = Math.min(until, from + chunk);
  if (to <= from) return false;
  const gone: number[] = [];
  for (const { key: revision, value } of history.getRange({ start: from + 1, end: to + 1 })) {
    const previous = previousRevisionOf(value);
    if (previous > 0) gone.push(previous);
    if (isDelete(value) || isCurrent(current, value, revision)) gone.push(revision);
  }
  for (const revision of gone) void history.remove(revision);
  void meta.put('compacted', to);
  return to < until;
}

function isCurrent(current: Tables['current'], record: Buffer, revision: number): boolean {
  const now = current.get(keyOf(record));
  return now !== undefined && modRevisionOf(now) === revision;
}

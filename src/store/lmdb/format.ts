import { StoreError } from '../store.ts';
import { createRevisionOf, modRevisionOf } from './record.ts';
import { encodePointer, formatOf, type Tables } from './tables.ts';

const newest = 2;

/**
 * Brings a store that an older Keylet wrote to today's form. To be run inside a write transaction.
 * Form 1 kept whole commits in `current`, also those that its history had already forgotten.
 * @param path for the error
 * @throws StoreError `corrupt` when a newer Keylet wrote it
 */
export function bringToFormat(tables: Tables, path: string): void {
  const { current, commits, meta } = tables;
  const found = formatOf(tables) ?? (meta.doesExist('revision') ? 1 : newest);
  if (found > newest)
    throw new StoreError(
      'corrupt',
      `The store in ${path} was written by a newer Keylet (its form is ${found}, this one knows ${newest}): start that one`,
    );
  if (found === 1) {
    // Read whole before it is written to.
    const whole = [...current.getRange()];
    for (const { key, value: commit } of whole) {
      const modRevision = modRevisionOf(commit);
      if (!commits.doesExist(modRevision)) void commits.put(modRevision, commit);
      void current.put(
        key,
        encodePointer({ createRevision: createRevisionOf(commit), modRevision }),
      );
    }
  }
  if (formatOf(tables) !== newest) void meta.put('format', newest);
}

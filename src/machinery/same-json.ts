import { memberOf } from './member.ts';

/** Whether two values have the same JSON but for the order of members: a member that is undefined is absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((each, i) => sameJson(each, b[i]))
    );
  }
  let members = 0;
  for (const [name, value] of Object.entries(a)) {
    if (value === undefined) continue;
    members += 1;
    if (!sameJson(value, memberOf(b, name))) return false;
  }
  for (const value of Object.values(b)) if (value !== undefined) members -= 1;
  return members === 0;
}

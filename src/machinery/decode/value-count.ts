/** More values than objects of Kubernetes have: so many are decoded and validated in a fraction of a second. */
export const maxValues = 50_000;

/** Whether a decoded body has more members and elements, at every depth. Stops counting there. */
export function exceedsValues(value: unknown, max: number): boolean {
  const waiting: unknown[] = [value];
  let count = 0;
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== 'object' || next === null) continue;
    const members = Array.isArray(next) ? (next as unknown[]) : Object.values(next);
    count += members.length;
    if (count > max) return true;
    for (const member of members) if (typeof member === 'object') waiting.push(member);
  }
  return false;
}

let second = NaN;
let text = '';

/** metav1.Time: RFC 3339, whole seconds, UTC. @param ms since the epoch; now if not given */
export function timestamp(ms: number = Date.now()): string {
  const asked = Math.floor(ms / 1000);
  // Most ask for the second that was asked for before.
  if (asked !== second) {
    text = `${new Date(ms).toISOString().slice(0, 19)}Z`;
    second = asked;
  }
  return text;
}

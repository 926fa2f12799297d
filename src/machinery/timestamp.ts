/** metav1.Time: RFC 3339, whole seconds, UTC. @param ms since the epoch; now if not given */
export const timestamp = (ms: number = Date.now()): string =>
  `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** What a client may reset at once, such as watches of pods that ended together. */
const burst = 200;
const perSecond = 20;

/**
 * Counts requests that a client gave up (CVE-2023-44487): each costs the server a request and the client nothing.
 * nghttp2 has the same bound at a burst of 1000, which is a second's work here.
 */
export interface ResetBudget {
  /** @returns whether there were too many */
  spend(): boolean;
}

export function createResetBudget(now: () => number = () => performance.now()): ResetBudget {
  let left = burst;
  let at = now();
  return {
    spend() {
      const time = now();
      left = Math.min(burst, left + ((time - at) / 1000) * perSecond);
      at = time;
      left -= 1;
      return left < 0;
    },
  };
}

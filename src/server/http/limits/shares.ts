/** A bounded amount that clients share. */
export interface Shares {
  /** @returns whether there was room; only then it is to be given back */
  take(client: string, amount?: number): boolean;
  giveBack(client: string, amount?: number): void;
  heldBy(client: string): number;
  readonly total: number;
}

/**
 * A client may hold no more than what is still free: one alone gets half, a second half of the rest, and so on. So
 * whoever takes all that he can get leaves room for the others, and none is kept for those who are not there
 * (the dynamic thresholds of Choudhury and Hahne, by which switches share their buffers).
 */
export function createShares(max: number): Shares {
  const held = new Map<string, number>();
  let total = 0;
  const heldBy = (client: string): number => held.get(client) ?? 0;
  return {
    take(client, amount = 1) {
      const own = heldBy(client);
      if (own + amount > max - total) return false;
      held.set(client, own + amount);
      total += amount;
      return true;
    },
    giveBack(client, amount = 1) {
      const rest = heldBy(client) - amount;
      if (rest > 0) held.set(client, rest);
      else held.delete(client);
      total -= amount;
    },
    heldBy,
    get total() {
      return total;
    },
  };
}

/** Who asks for a part of a shared amount. */
export interface Sharer {
  readonly key: string;
  /** Several clients, such as the service accounts of one namespace, that share one part. */
  readonly group: string;
}

/** A bounded amount that clients share. */
export interface Shares {
  /** @returns whether there was room; only then is it to be given back */
  take(sharer: Sharer, amount?: number): boolean;
  giveBack(sharer: Sharer, amount?: number): void;
  heldBy(sharer: Sharer): number;
  readonly total: number;
}

export interface ShareLimits {
  /** Of all together; Infinity for no limit. */
  readonly max: number;
  /** Each client gets so much even when everything is taken, unless its group alone holds `max`. */
  readonly minimum: number;
}

/**
 * A group may hold no more than what is still free: one alone gets half, a second half of the rest, and so on. So
 * whoever takes all it can get leaves room for the others, and none is kept for those who are not there
 * (the dynamic thresholds of Choudhury and Hahne, by which switches share their buffers).
 * The minimum may exceed the total: it is what keeps a client going when many groups have taken everything.
 */
export function createShares({ max, minimum }: ShareLimits): Shares {
  const heldByClient = createTally();
  const heldByGroup = createTally();
  let total = 0;
  return {
    take({ key, group }, amount = 1) {
      const ofGroup = heldByGroup.of(group) + amount;
      const isWithinShare = ofGroup <= max - total;
      const isWithinMinimum = heldByClient.of(key) + amount <= minimum && ofGroup <= max;
      if (!isWithinShare && !isWithinMinimum) return false;
      heldByClient.add(key, amount);
      heldByGroup.add(group, amount);
      total += amount;
      return true;
    },
    giveBack({ key, group }, amount = 1) {
      heldByClient.add(key, -amount);
      heldByGroup.add(group, -amount);
      total -= amount;
    },
    heldBy: ({ key }) => heldByClient.of(key),
    get total() {
      return total;
    },
  };
}

function createTally(): { of(key: string): number; add(key: string, amount: number): void } {
  const amounts = new Map<string, number>();
  const of = (key: string): number => amounts.get(key) ?? 0;
  return {
    of,
    add(key, amount) {
      const next = of(key) + amount;
      if (next > 0) amounts.set(key, next);
      else amounts.delete(key);
    },
  };
}

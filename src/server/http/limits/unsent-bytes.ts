/** What answers hold in memory because their readers have not taken it yet. */
export interface UnsentBytes {
  /** @param cutOff ends the answer: its reader is too slow for the memory that there is */
  open(client: { readonly key: string; readonly isExempt: boolean }, cutOff: () => void): Unsent;
  readonly total: number;
}

/** The account of one answer. */
export interface Unsent {
  /** @param bytes what it holds now. May cut off this answer, or others of the same client */
  hold(bytes: number): void;
  close(): void;
}

/** What one client's answers may hold is what is still free; see `createShares`. */
export const defaultMaxUnsentBytes = 128 * 1024 * 1024;
/** Who is exempt has this in addition, for all of them together. */
const exemptBytes = 128 * 1024 * 1024;

interface Account {
  readonly key: string;
  readonly isExempt: boolean;
  readonly answers: Set<Answer>;
  bytes: number;
}
interface Answer {
  readonly cutOff: () => void;
  bytes: number;
}

/** Bounds the unsent bytes of each client and of all: the answers that hold most are cut off. */
export function createUnsentBytes(max = defaultMaxUnsentBytes): UnsentBytes {
  const accounts = new Map<string, Account>();
  const totals = { limited: 0, exempt: 0 };

  const set = (account: Account, answer: Answer, bytes: number): void => {
    const change = bytes - answer.bytes;
    answer.bytes = bytes;
    account.bytes += change;
    totals[account.isExempt ? 'exempt' : 'limited'] += change;
  };
  const isOver = ({ isExempt, bytes }: Account): boolean =>
    isExempt
      ? totals.exempt > exemptBytes
      : bytes > Math.max(max - totals.limited, 0) + answerBytes;
  const shrink = (account: Account): void => {
    while (isOver(account)) {
      let largest: Answer | undefined;
      for (const answer of account.answers)
        if (largest === undefined || answer.bytes > largest.bytes) largest = answer;
      if (largest === undefined || largest.bytes === 0) return;
      set(account, largest, 0);
      account.answers.delete(largest);
      largest.cutOff();
    }
  };

  return {
    open({ key, isExempt }, cutOff) {
      let account = accounts.get(key);
      if (account === undefined) {
        account = { key, isExempt, answers: new Set(), bytes: 0 };
        accounts.set(key, account);
      }
      const answer: Answer = { cutOff, bytes: 0 };
      account.answers.add(answer);
      const of = account;
      return {
        hold(bytes) {
          if (!of.answers.has(answer)) return;
          const grows = bytes > answer.bytes;
          set(of, answer, bytes);
          if (grows) shrink(of);
        },
        close() {
          set(of, answer, 0);
          of.answers.delete(answer);
          if (of.answers.size === 0 && accounts.get(key) === of) accounts.delete(key);
        },
      };
    },
    get total() {
      return totals.limited + totals.exempt;
    },
  };
}

/** One answer is always allowed as much as an object and what lies around it. */
const answerBytes = 4 * 1024 * 1024;

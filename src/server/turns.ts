/** Waits for a turn; undefined while the present one goes on. */
export type Turn = () => Promise<void> | undefined;

/** How long work may take of one turn of the event loop, before what else there is waits for the next. */
const turnMs = 5;

/** Those who wait, by client, in the order in which clients have their turn. */
const waiting = new Map<string, (() => void)[]>();
/** The client whose turn it is. */
let holder = '';
let isScheduled = false;
let endsAt = 0;

/**
 * Work that could hold up others is done in turns: a piece in each turn of the event loop, one client after the
 * other. However much work one client gives, others wait for no more than one piece of it.
 */
export function nextTurn(client: string): Promise<void> | undefined {
  const now = performance.now();
  if (!isScheduled) {
    endsAt = now + turnMs;
    holder = client;
    schedule();
    return undefined;
  }
  if ((waiting.size === 0 || holder === client) && now < endsAt) return undefined;
  return new Promise(resolve => {
    const own = waiting.get(client);
    if (own === undefined) waiting.set(client, [resolve]);
    else own.push(resolve);
  });
}

function schedule(): void {
  isScheduled = true;
  setImmediate(() => {
    const [next] = waiting;
    if (next === undefined) {
      isScheduled = false;
      return;
    }
    const [client, own] = next;
    const resolve = own.shift();
    waiting.delete(client);
    if (own.length > 0) waiting.set(client, own);
    endsAt = performance.now() + turnMs;
    holder = client;
    resolve?.();
    schedule();
  });
}

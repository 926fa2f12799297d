/** Waits for a turn; undefined while the present one goes on. */
export type Turn = () => Promise<void> | undefined;

/** How long work may take of one turn of the event loop, before what else there is waits for the next. */
const turnMs = 5;
/** A piece of work that takes longer than this has held up all others. */
const longPieceMs = 20;
/** For so long after it, no client goes on who had such a piece lately: the others catch up. */
const restMs = 20;
const longPiecesCountForMs = 1000;

/** Those who wait, by client, in the order in which clients have their turn. */
const waiting = new Map<string, (() => void)[]>();
/** The client whose turn it is. */
let holder = '';
let isScheduled = false;
let endsAt = 0;

/** Until when clients count as those who hold up others. */
const heavyUntil = new Map<string, number>();
let restsUntil = 0;
let resting: NodeJS.Timeout | undefined;

/**
 * Work that could hold up others is done in turns: a piece in each turn of the event loop, one client after the
 * other. However much work one client gives, others wait for no more than one piece of it.
 */
export function nextTurn(client: string): Promise<void> | undefined {
  const now = performance.now();
  if (!isScheduled) {
    beganAt = now;
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
    if (resting !== undefined && !isHeavy(client, now)) endRest();
  });
}

/** The second callback runs when what the first one set going has stopped or waits. */
function schedule(): void {
  isScheduled = true;
  setImmediate(beginPiece);
  setImmediate(endPiece);
}

/** When the present piece began. */
let beganAt: number | undefined;

function beginPiece(): void {
  const now = performance.now();
  noteLength(now);
  const client = nextClient(now);
  if (client === undefined) return;
  const own = waiting.get(client) ?? [];
  const resolve = own.shift();
  waiting.delete(client);
  if (own.length > 0) waiting.set(client, own);
  beganAt = now;
  endsAt = now + turnMs;
  holder = client;
  resolve?.();
}

function endPiece(): void {
  const now = performance.now();
  if (beganAt !== undefined) {
    noteLength(now);
    schedule();
  } else if (waiting.size === 0) {
    isScheduled = false;
    for (const [client, until] of heavyUntil) if (until < now) heavyUntil.delete(client);
  } else {
    resting = setTimeout(endRest, Math.max(restsUntil - now, 1));
  }
}

function noteLength(now: number): void {
  if (beganAt !== undefined && now - beganAt > longPieceMs) {
    heavyUntil.set(holder, now + longPiecesCountForMs);
    restsUntil = now + restMs;
  }
  beganAt = undefined;
}

function endRest(): void {
  clearTimeout(resting);
  resting = undefined;
  schedule();
}

const isHeavy = (client: string, now: number): boolean => (heavyUntil.get(client) ?? 0) > now;

/** @returns undefined when nobody waits but those whose work rests */
function nextClient(now: number): string | undefined {
  for (const client of waiting.keys())
    if (now >= restsUntil || !isHeavy(client, now)) return client;
  return undefined;
}

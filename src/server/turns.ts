/** How long work on large answers may take of one turn of the event loop. */
const turnMs = 5;

const waiting: (() => void)[] = [];
let isScheduled = false;
let endsAt = 0;

/**
 * Large answers are worked on in turns: one of them at a time, a piece in each turn of the event loop, so that many
 * of them delay everything else no more than one.
 * @returns undefined while the present turn goes on
 */
export function nextTurn(): Promise<void> | undefined {
  if (waiting.length === 0 && performance.now() < endsAt) return undefined;
  return new Promise(resolve => {
    waiting.push(resolve);
    schedule();
  });
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(() => {
    isScheduled = false;
    endsAt = performance.now() + turnMs;
    waiting.shift()?.();
    if (waiting.length > 0) schedule();
  });
}

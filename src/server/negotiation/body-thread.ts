import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { parseOwnJson } from '../../machinery/decode/own-json.ts';
import { StatusError, tooManyRequests } from '../../machinery/status.ts';
import type { Client } from '../http/limits/clients.ts';
import { createShares } from '../http/limits/shares.ts';
import { nextTurn } from '../turns.ts';
import type { BodyAnswer, BodyTask } from './body-task.ts';
import type { DecodedBody } from './decode.ts';

/** A thread for work on large bodies: it starts when it is needed, and ends when it was idle for a while. */
export interface BodyThread {
  /**
   * Does a task beside the event loop, one at a time, the clients by turns. Resolves when it is the client's turn.
   * @throws StatusError what the task throws; TooManyRequests where too many wait
   */
  run(task: BodyTask, client: Client): Promise<DecodedBody>;
  close(): Promise<void>;
}

export interface BodyThreadOptions {
  readonly script: URL;
  readonly idleMs?: number;
  /** Tasks that may wait, of which one client has a share. */
  readonly maxWaiting?: number;
}

interface Waiting {
  readonly task: BodyTask;
  readonly client: Client;
  settle(answer: BodyAnswer): void;
  fail(error: unknown): void;
}

/** Many times what a body within the limits needs. */
const resourceLimits = { maxOldGenerationSizeMb: 512 };

export function createBodyThread({
  script,
  idleMs = 10_000,
  maxWaiting = 64,
}: BodyThreadOptions): BodyThread {
  const shares = createShares({ max: maxWaiting, minimum: 1 });
  /** By client, in the order in which clients have their turn. */
  const queues = new Map<string, Waiting[]>();
  let worker: Worker | undefined;
  let present: Waiting | undefined;
  let idle: NodeJS.Timeout | undefined;

  const start = (): Worker => {
    const started = new Worker(script, { resourceLimits });
    started.on('message', (answer: BodyAnswer) => {
      present?.settle(answer);
      goOn();
    });
    let fault: unknown;
    started.on('error', error => (fault = error));
    started.once('exit', code => {
      if (worker !== started) return;
      worker = undefined;
      present?.fail(fault ?? new Error(`the thread for large bodies ended with ${code}`));
      goOn();
    });
    return started;
  };

  const goOn = (): void => {
    present = next();
    if (present === undefined) {
      // Neither the thread nor the timer keeps the process.
      worker?.unref();
      idle = setTimeout(() => void end(), idleMs).unref();
      return;
    }
    worker ??= start();
    worker.ref();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
    worker.postMessage(present.task);
  };

  const next = (): Waiting | undefined => {
    const [first] = queues;
    if (first === undefined) return undefined;
    const [key, queue] = first;
    const waiting = queue.shift();
    queues.delete(key);
    if (queue.length > 0) queues.set(key, queue);
    return waiting;
  };

  const end = async (): Promise<void> => {
    const ended = worker;
    worker = undefined;
    await ended?.terminate();
  };

  const answerTo = (task: BodyTask, client: Client): Promise<BodyAnswer> =>
    new Promise((resolve, reject) => {
      const waiting = { task, client, settle: resolve, fail: reject };
      const queue = queues.get(client.key);
      if (queue === undefined) queues.set(client.key, [waiting]);
      else queue.push(waiting);
      clearTimeout(idle);
      if (present === undefined) goOn();
    });

  return {
    async run(task, client) {
      const isCounted = !client.isExempt;
      if (isCounted && !shares.take(client))
        throw tooManyRequests('Too many requests, please try again later.', 1);
      try {
        const answer = await answerTo(task, client);
        if ('status' in answer) throw new StatusError(answer.status);
        if ('unexpected' in answer) throw answer.unexpected;
        await nextTurn(client.key);
        const { buffer, byteOffset, byteLength } = answer.json;
        const json = Buffer.from(buffer, byteOffset, byteLength).toString();
        return { value: parseOwnJson(json) as Record<string, unknown>, warnings: answer.warnings };
      } finally {
        if (isCounted) shares.giveBack(client);
      }
    },
    async close() {
      clearTimeout(idle);
      await end();
    },
  };
}

const script = new URL('./body-worker.js', import.meta.url);

/** The process's own. Absent where it runs from the sources, which a thread cannot load. */
export const bodyThread: BodyThread | undefined = existsSync(script)
  ? createBodyThread({ script })
  : undefined;

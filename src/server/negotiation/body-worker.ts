import { getPriority, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { StatusError } from '../../machinery/status.ts';
import { runBodyTask, type BodyAnswer, type BodyTask } from './body-task.ts';

// On Linux this is the thread's own: the event loop goes first where there are few processors.
setPriority(Math.min(getPriority() + 5, 19));

/** The thread of `createBodyThread`: answers one task after the other. */
parentPort?.on('message', (task: BodyTask) => {
  const answer = answerTo(task);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
  parentPort?.postMessage(answer, 'json' in answer ? [answer.json.buffer as ArrayBuffer] : []);
});

function answerTo(task: BodyTask): BodyAnswer {
  try {
    const { value, warnings } = runBodyTask(task);
    return { json: new TextEncoder().encode(JSON.stringify(value)), warnings };
  } catch (error) {
    return error instanceof StatusError ? { status: error.status } : { unexpected: error };
  }
}

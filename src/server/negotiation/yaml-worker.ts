import { parentPort, workerData } from 'node:worker_threads';
import { parseYaml } from '../../machinery/decode/yaml.ts';
import type { YamlAnswer } from './parse-yaml-aside.ts';

/** The thread of `parseYamlAside`: reads one body, and ends. */
function answer(): YamlAnswer {
  try {
    return { documents: parseYaml(workerData as string) };
  } catch (error) {
    // Faults of the text alone; others end the thread and are told as they are.
    if (error instanceof SyntaxError) return { fault: error.message };
    throw error;
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
parentPort?.postMessage(answer());

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createGate } from '../../machinery/gate.ts';
import { tooManyRequests } from '../../machinery/status.ts';
import { parseYaml, type YamlDocument } from '../../machinery/decode/yaml.ts';

export type YamlAnswer =
  { readonly documents: readonly YamlDocument[] } | { readonly fault: string };

/** A thread takes longer to start than this takes to read, and few manifests are longer. */
const asideAboveChars = 16 * 1024;
const resourceLimits = { maxOldGenerationSizeMb: 512 };
/** Five times what a quiet machine takes for the slowest text of that length. */
const maxThreadMs = (chars: number): number => Math.ceil(5000 + chars / 50);
/** How many bodies may wait for the thread: those beyond would not be read in time. */
const maxWaiting = 8;

const oneAtATime = createGate(1);
let waiting = 0;

/**
 * YAML takes a hundred times as long to read as JSON, a megabyte of it seconds: where there is much,
 * it is read beside the server's own thread, one body at a time.
 * @throws SyntaxError as `parseYaml`; StatusError TooManyRequests
 */
export async function parseYamlAside(text: string): Promise<readonly YamlDocument[]> {
  if (text.length <= asideAboveChars) return parseYaml(text);
  if (waiting >= maxWaiting) throw tooManyRequests('Too many requests, please try again later.', 1);
  waiting += 1;
  const answer = await oneAtATime(() => inThread(text)).finally(() => (waiting -= 1));
  if ('fault' in answer) throw new SyntaxError(answer.fault);
  return answer.documents;
}

async function inThread(text: string): Promise<YamlAnswer> {
  const thread = new Worker(new URL('./yaml-worker.js', import.meta.url), {
    workerData: text,
    resourceLimits,
  });
  try {
    const signal = AbortSignal.timeout(maxThreadMs(text.length));
    const [answer] = (await once(thread, 'message', { signal })) as [YamlAnswer];
    return answer;
  } catch (error) {
    if ((error as Error).name === 'AbortError')
      return { fault: 'error converting YAML to JSON: yaml: document takes too long to read' };
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
    return { fault: 'error converting YAML to JSON: yaml: document takes too much memory' };
  } finally {
    await thread.terminate();
  }
}

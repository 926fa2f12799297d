import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { podResource } from '../../api/core/v1/pod.ts';
import { secretResource } from '../../api/core/v1/secret.ts';
import { isStatusError, StatusError } from '../../machinery/status.ts';
import { namedKind, runBodyTask, type BodyTask } from './body-task.ts';
import { createBodyThread, type BodyThread, type BodyThreadOptions } from './body-thread.ts';
import type { DecodedBody } from './decode.ts';

const client = { key: 'user a', group: 'user a', isExempt: false };
const threads: BodyThread[] = [];
afterEach(() => Promise.all(threads.splice(0).map(each => each.close())));

const scriptOf = (code: string): URL => new URL(`data:text/javascript,${encodeURIComponent(code)}`);
/** A thread has no loader for sources: this one registers it first. */
const tsx = new URL(
  './index.mjs',
  pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')),
);
const worker = new URL('./body-worker.ts', import.meta.url);
const script = scriptOf(
  `import { register } from '${tsx.href}'; register(); await import('${worker.href}');`,
);
const start = (options: Partial<BodyThreadOptions> = {}): BodyThread => {
  const thread = createBodyThread({ script, ...options });
  threads.push(thread);
  return thread;
};

const kinds = {
  Secret: namedKind({ apiVersion: 'v1', kind: 'Secret', schema: secretResource.schema }),
  Pod: namedKind({ apiVersion: 'v1', kind: 'Pod', schema: podResource.schema }),
};
const decoding = (
  body: string | Buffer,
  contentType = 'application/json',
  fieldValidation: 'Ignore' | 'Warn' | 'Strict' = 'Warn',
): BodyTask => ({
  name: 'decode',
  body: Buffer.from(body as string),
  expected: kinds.Secret,
  options: { contentType, fieldValidation },
});
const patching = (type: string, body: unknown, fieldValidation: 'Strict' | 'Warn' = 'Warn') =>
  ({
    name: 'patch',
    current: Buffer.from(
      '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","finalizers":["a/b"]},"spec":{"containers":[{"name":"c","image":"i"}]}}',
    ),
    patch: {
      type: `application/${type}+json`,
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      fieldValidation,
    },
    expected: kinds.Pod,
  }) satisfies BodyTask;

const tasks: Record<string, BodyTask> = {
  'a secret': decoding('{"metadata":{"name":"s"},"data":{"k":"YQ=="}}'),
  'a key that is the name of the prototype': decoding('{"data":{"__proto__":"YQ=="}}'),
  'texts beyond ASCII': decoding('{"stringData":{"k":"äß€😀\\ud800"}}'),
  'unknown and repeated fields': decoding('{"a":1,"a":2,"metadata":{"name":"s"}}'),
  'unknown fields, strict': decoding('{"a":1,"a":2}', 'application/json', 'Strict'),
  'unknown fields, ignored': decoding('{"a":1,"a":2}', 'application/json', 'Ignore'),
  'broken JSON': decoding('{"data":{"k":"hunter2'),
  'an empty body': decoding(''),
  'another kind': decoding('{"kind":"Pod","apiVersion":"v1"}'),
  'a wrong type': decoding('{"data":[]}'),
  'broken base64': decoding('{"data":{"k":"hunter2!"}}'),
  'more values than a body may have': decoding(`[${'0,'.repeat(50_001)}0]`),
  'more levels than a body may have': decoding('['.repeat(10_001)),
  'an unknown media type': decoding('{}', 'text/plain'),
  protobuf: decoding(
    Buffer.from('6b3873000a0c0a027631120653656372657412050a030a0173', 'hex'),
    'application/vnd.kubernetes.protobuf',
  ),
  'broken protobuf': decoding('k8s\0\x0a', 'application/vnd.kubernetes.protobuf'),
  'a JSON patch': patching('json-patch', [{ op: 'add', path: '/metadata/labels', value: {} }]),
  'a JSON patch that fails': patching('json-patch', [{ op: 'test', path: '/spec', value: 1 }]),
  'a JSON patch of another kind': patching('json-patch', [
    { op: 'replace', path: '/kind', value: 'Secret' },
  ]),
  'a JSON patch that is an object': patching('json-patch', {}),
  'a merge patch': patching('merge-patch', { spec: { priority: 5, nodeName: null } }),
  'a merge patch with unknown fields': patching('merge-patch', { spec: { a: 5 } }, 'Strict'),
  'a merge patch of a wrong type': patching('merge-patch', { spec: 5 }),
  'a patch that is no JSON': patching('merge-patch', '{"a'),
  'a strategic merge': patching('strategic-merge-patch', {
    spec: { containers: [{ name: 'd', image: 'j' }] },
  }),
  'a strategic merge of an unknown directive': patching('strategic-merge-patch', {
    spec: { $patch: 'x' },
  }),
};

const outcome = async (work: () => DecodedBody | Promise<DecodedBody>): Promise<unknown> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StatusError) return error.status;
    throw error;
  }
};

describe('a thread for large bodies', () => {
  test('answers what the event loop itself would', async () => {
    const thread = start();
    const names = Object.keys(tasks);
    const [aside, here] = await Promise.all(
      [thread.run, runBodyTask].map(run =>
        Promise.all(
          Object.values(tasks).map(task =>
            outcome(() => run(structuredClone(task), { ...client, isExempt: true })),
          ),
        ),
      ),
    );
    expect(Object.fromEntries(names.map((name, i) => [name, aside?.[i]]))).toEqual(
      Object.fromEntries(names.map((name, i) => [name, here?.[i]])),
    );
  }, 60_000);

  test('refuses what one client gives it beyond its share, and goes on with the rest', async () => {
    const thread = start({ maxWaiting: 4 });
    const answers = await Promise.allSettled(
      Array.from({ length: 3 }, () => thread.run(decoding('{}'), client)),
    );
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    const [refused] = answers.flatMap(each => (each.status === 'rejected' ? [each.reason] : []));
    expect(isStatusError(refused, 'TooManyRequests')).toBe(true);
    expect((refused as StatusError).status.details?.retryAfterSeconds).toBe(1);
  }, 60_000);

  test('that dies fails what it was doing, and the next one does the rest', async () => {
    const deadlyScript = scriptOf(`
      import { parentPort } from 'node:worker_threads';
      parentPort.on('message', ({ body }) => {
        if (body.length === 0) process.exit(3);
        parentPort.postMessage({ json: new TextEncoder().encode('{"isAlive":true}'), warnings: [] });
      });`);
    const thread = start({ script: deadlyScript });
    const [deadly, other] = [thread.run(decoding(''), client), thread.run(decoding('{}'), client)];
    await expect(deadly).rejects.toThrow('ended with 3');
    await expect(other).resolves.toMatchObject({ value: { isAlive: true } });
  }, 60_000);

  test('ends when it was idle, and starts again', async () => {
    const counting = scriptOf(`
      import { parentPort } from 'node:worker_threads';
      let tasks = 0;
      parentPort.on('message', () => {
        parentPort.postMessage({ json: new TextEncoder().encode(String((tasks += 1))), warnings: [] });
      });`);
    const thread = start({ script: counting, idleMs: 1 });
    const tasksOfThread = async (): Promise<unknown> =>
      (await thread.run(decoding('{}'), client)).value;
    expect(await Promise.all([tasksOfThread(), tasksOfThread()])).toEqual([1, 2]);
    await vi.waitFor(async () => expect(await tasksOfThread()).toBe(1));
  }, 60_000);
});

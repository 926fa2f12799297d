import { expect, test } from 'vitest';
import { secretResource } from '../../api/core/v1/secret.ts';
import { expired } from '../../machinery/status.ts';
import { createAdmission } from '../admission/admission.ts';
import type { LinesAnswer, RequestContext, VerbServices } from '../operation/operation.ts';
import type { ObjectStore, WatchSink } from '../registry/object-store.ts';
import { unkept } from '../registry/unkept.ts';
import { watch } from './watch.ts';

/** A watch of secrets in a store that the test tells what happens. */
async function start(query = '') {
  const written: { type: string; object: { metadata?: object; code?: number } }[] = [];
  const progress: string[] = [];
  let sink: WatchSink | undefined;
  const objects = {
    watch: (_request: unknown, given: WatchSink) => {
      sink = given;
      return Promise.resolve();
    },
  } as unknown as ObjectStore;
  const entry = { descriptor: secretResource, objects, handlers: {} };
  const context = {
    operation: { entry, query: new URLSearchParams(query), namespace: 'ns', fieldSelector: [] },
    query: new URLSearchParams(query),
    headers: {},
    client: { key: 'user u', group: 'user u', isExempt: false },
  } as unknown as RequestContext;
  const services: VerbServices = {
    entry,
    admission: createAdmission([]),
    authorize: () => ({ decision: 'allow', reason: '' }),
  };
  const answer = (await watch(context, services)) as LinesAnswer;
  const closing = new AbortController();
  await answer.send(
    {
      begin: () => void progress.push('begin'),
      write: (...parts) => void written.push(JSON.parse(parts.map(String).join('')) as never),
      room: () => undefined,
      end: () => void progress.push('end'),
    },
    closing.signal,
  );
  if (sink === undefined) throw new Error('The store was not watched');
  return { sink, written, progress, close: () => closing.abort() };
}

const secret = unkept({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'ns', resourceVersion: '7' },
});

test('begins at once, tells what happens, and ends with its client', async () => {
  const { sink, written, progress, close } = await start();
  expect(progress).toEqual(['begin']);
  sink.onEvent('ADDED', secret);
  sink.onBookmark(9, true);
  expect(written).toMatchObject([
    { type: 'ADDED', object: { metadata: { name: 's' } } },
    {
      type: 'BOOKMARK',
      object: {
        metadata: {
          resourceVersion: '9',
          annotations: { 'k8s.io/initial-events-end': 'true' },
        },
      },
    },
  ]);
  close();
  expect(progress).toEqual(['begin', 'end']);
});

test('a history that is gone is told in the stream, and ends it', async () => {
  const { sink, written, progress } = await start();
  sink.onError(expired('too old resource version: 1 (2)'));
  expect(written).toMatchObject([{ type: 'ERROR', object: { code: 410 } }]);
  expect(progress).toEqual(['begin', 'end']);
});

test('a resource that is no longer served ends it without an error', async () => {
  const { sink, written, progress } = await start();
  sink.onEnd?.();
  expect(written).toEqual([]);
  expect(progress).toEqual(['begin', 'end']);
});

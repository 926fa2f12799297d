import { pipeline } from 'node:stream/promises';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { notAcceptable } from '../../machinery/status.ts';
import { createLineWriter } from '../http/line-writer.ts';
import type { Client } from '../http/limits/clients.ts';
import type { UnsentBytes } from '../http/limits/unsent-bytes.ts';
import { writeHead, type ResponseContext } from '../http/respond.ts';
import type { Answer, LinesAnswer } from '../operation/operation.ts';
import { nextTurn } from '../turns.ts';
import { respondList, respondObject, respondValue } from './encode.ts';
import { acceptedTypes, negotiate } from './media-types.ts';

/** A watcher that does not read is cut off before it fills the memory. */
const maxBufferedBytes = 8 * 1024 * 1024;

export interface AnswerContext extends ResponseContext {
  readonly client: Client;
  readonly unsent: UnsentBytes;
  /** Aborts when the client goes or the server closes. */
  readonly signal: AbortSignal;
}

/** Encodes an answer as the client asked, and sends it. @throws StatusError when nothing was sent yet */
export async function sendAnswer(
  context: AnswerContext,
  descriptor: ResourceDescriptor,
  answer: Answer,
): Promise<void> {
  switch (answer.type) {
    case 'object':
      return respondObject(context, descriptor, answer.code, answer.object);
    case 'list':
      return respondList(context, descriptor, answer.page);
    case 'value': {
      const form = negotiate(context.headers.accept);
      // A Status is answered as it is, whatever form was asked for.
      const isStatus = 'kind' in answer.value && answer.value.kind === 'Status';
      if (form.as !== 'object' && !isStatus) throw notAcceptable(acceptedTypes);
      return respondValue(context, answer.code, answer.value, form);
    }
    case 'lines':
      return sendLines(context, answer);
    case 'bytes': {
      const { response } = context;
      writeHead(response, 200, { 'content-type': answer.contentType });
      (response as { flushHeaders?(): void }).flushHeaders?.();
      // The reader may go at any time.
      const sink = response as unknown as NodeJS.WritableStream;
      await pipeline(answer.content, sink).catch(() => answer.content.destroy());
    }
  }
}

async function sendLines(
  { response, client, unsent, signal }: AnswerContext,
  { send }: LinesAnswer,
): Promise<void> {
  // A signal that has aborted tells nobody any more.
  if (signal.aborted) return;
  const closed = new AbortController();
  signal.addEventListener('abort', () => closed.abort(), { once: true });
  const account = unsent.open(client, () => writer.cut());
  response.once('close', () => account.close());
  const writer = createLineWriter({
    response,
    // The exempt are bounded together: what others write must not end the controllers' watches.
    maxBytes: client.isExempt ? Infinity : maxBufferedBytes,
    hold: bytes => account.hold(bytes),
    onCut: () => closed.abort(),
  });
  const begin = (): void => {
    if (response.headersSent) return;
    writeHead(response, 200, {
      'content-type': 'application/json',
      'cache-control': 'no-cache, private',
    });
    (response as { flushHeaders?(): void }).flushHeaders?.();
  };
  await send(
    {
      begin,
      write(...parts) {
        begin();
        writer.write(parts);
      },
      room: () => writer.room() ?? nextTurn(client.key),
      end: () => writer.end(),
    },
    closed.signal,
  );
}

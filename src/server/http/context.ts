import { requestTooLarge } from '../../machinery/status.ts';
import type { AnyRequest } from './listener.ts';

export type { RequestContext } from '../operation/operation.ts';

/** 3 MiB, as kube-apiserver's. */
const maxBodyBytes = 3 * 1024 * 1024;

/** The client went before its request was whole: nobody is there to be answered, and nothing has failed. */
export class ClientGoneError extends Error {
  constructor(cause?: unknown) {
    super('The client went before its request was whole', { cause });
    this.name = 'ClientGoneError';
  }
}

/** @throws StatusError RequestEntityTooLarge; ClientGoneError */
export const readBody = (request: AnyRequest): Promise<Buffer> =>
  // By events: an iterator costs as much as all else that is done to read a small body.
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBodyBytes) {
        chunks.push(chunk);
        return;
      }
      // What still comes is let go, so that the sender reads the answer.
      chunks.length = 0;
      reject(requestTooLarge(maxBodyBytes));
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', error => reject(new ClientGoneError(error)));
    request.once('close', () => {
      if (!request.complete) reject(new ClientGoneError());
    });
  });

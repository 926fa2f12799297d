import type { Client } from '../http/limits/clients.ts';
import { nextTurn } from '../turns.ts';
import { namedKind } from './body-task.ts';
import { bodyThread } from './body-thread.ts';
import {
  decode,
  decodeYaml,
  mediaTypeOf,
  yamlType,
  type DecodeOptions,
  type ExpectedKind,
} from './decode.ts';
import { isLargeBody } from './large-work.ts';

export interface BodyOptions extends DecodeOptions {
  readonly warnings: string[];
  /** Who sent it: large bodies of one client wait for those of others. */
  readonly client: Client;
}

/**
 * An object out of a request's body, structurally sound. Large bodies are decoded beside the event loop; what is
 * to be done with them is a piece of work of its own (`nextTurn`).
 * @throws StatusError BadRequest, UnsupportedMediaType, RequestEntityTooLarge, TooManyRequests
 */
export async function decodeBody(
  body: Buffer,
  expected: ExpectedKind,
  { warnings, client, ...options }: BodyOptions,
): Promise<Record<string, unknown>> {
  const type = mediaTypeOf(options.contentType);
  const isLarge = isLargeBody(body, options.contentType);
  if (isLarge) await nextTurn(client.key);
  const decoded =
    type === yamlType
      ? await decodeYaml(body, expected, options)
      : isLarge && bodyThread !== undefined
        ? await bodyThread.run(
            { name: 'decode', body, expected: namedKind(expected), options },
            client,
          )
        : decode(body, expected, options);
  warnings.push(...decoded.warnings);
  return decoded.value;
}

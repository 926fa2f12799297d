import { openEnvelope } from '../../machinery/decode/protobuf.ts';
import { mediaTypeOf, protobufType } from './decode.ts';

/** The apiVersion that a body declares; undefined where it declares none, or cannot be read. */
export function declaredApiVersion(
  body: Buffer,
  contentType: string | undefined,
): string | undefined {
  if (mediaTypeOf(contentType) !== protobufType)
    return /\bapiVersion"?\s*:\s*"?([\w./-]+)/.exec(body.toString())?.[1];
  try {
    return openEnvelope(body).apiVersion;
  } catch {
    return undefined;
  }
}

import { Base64Error, normalBase64 } from './base64.ts';

export interface PemBlock {
  /** What stands behind BEGIN, such as `CERTIFICATE`. */
  readonly type: string;
  readonly bytes: Buffer;
}

const begin = '-----BEGIN ';
const end = '\n-----END ';
const dashes = '-----';

/**
 * The blocks of a PEM text, as Go's encoding/pem finds them: each END with the last BEGIN before it;
 * what is malformed is passed over. Takes time in proportion to the text, whatever it holds.
 */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let from = 0;
  for (let at = text.indexOf(end); at >= 0; at = text.indexOf(end, from)) {
    const behind = at + end.length;
    const trailer = lineAt(text, behind);
    const block = blockOf(text.slice(from, at), trailer);
    if (block !== undefined) blocks.push(block);
    from = behind + trailer.length;
  }
  return blocks;
}

function lineAt(text: string, at: number): string {
  const newline = text.indexOf('\n', at);
  return newline < 0 ? text.slice(at) : text.slice(at, newline);
}

function blockOf(segment: string, trailer: string): PemBlock | undefined {
  const start = segment.lastIndexOf(begin);
  if (start < 0 || (start > 0 && segment[start - 1] !== '\n')) return undefined;
  const first = lineAt(segment, start + begin.length);
  const label = first.trimEnd();
  if (!label.endsWith(dashes) || trailer.trimEnd() !== label) return undefined;
  const lines = segment.slice(start + begin.length + first.length + 1);
  // Headers are lines with a colon.
  const lastHeader = lines.lastIndexOf(':');
  const afterHeaders = lastHeader < 0 ? 0 : lastHeader + lineAt(lines, lastHeader).length + 1;
  const body = lines.slice(afterHeaders);
  try {
    const base64 = normalBase64(body.replaceAll(/[ \t]/g, ''));
    return { type: label.slice(0, -dashes.length), bytes: Buffer.from(base64, 'base64') };
  } catch (error) {
    if (error instanceof Base64Error) return undefined;
    throw error;
  }
}

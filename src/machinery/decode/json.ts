import { tooManyValues } from '../status.ts';
import { goJsonError } from './go-json.ts';
import { maxValues } from './value-count.ts';

/** Go's encoding/json follows no deeper nesting; V8 takes seconds to. */
const maxDepth = 10_000;

/**
 * @throws SyntaxError in the words of Go's encoding/json: V8's quote the text, which may be a secret's
 * @throws StatusError RequestEntityTooLarge for more values than `maxValues`
 */
export function parseJson(body: Buffer, text: string): unknown {
  const { depth, values } = sizeOf(body);
  if (depth > maxDepth) throw new SyntaxError('exceeded max depth');
  if (values > maxValues) throw tooManyValues(maxValues);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new SyntaxError(goJsonError(body) ?? 'invalid JSON');
  }
}

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

interface JsonSize {
  /** How many objects and lists are open at once, at most. */
  readonly depth: number;
  /** Members and elements, at least. */
  readonly values: number;
}

/** Too small to be deep or to hold many values: most bodies. */
const smallBytes = 2048;
const nothing: JsonSize = { depth: 0, values: 0 };

/** How many members and elements JSON has, at least. Looks at no more than it takes to tell. */
export const countJsonValues = (json: Buffer): number => sizeOf(json).values;

/** Looks at brackets and commas only, so that broken JSON may pass. */
function sizeOf(json: Buffer): JsonSize {
  if (json.length <= smallBytes) return nothing;
  let depth = 0;
  let deepest = 0;
  let values = 0;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === comma) values += 1;
    else if (byte === openBrace || byte === openBracket) {
      values += 1;
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (byte === closeBrace || byte === closeBracket) depth -= 1;
    else if (byte === quote) {
      at += 1;
      while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1;
    }
  }
  return { depth: deepest, values };
}

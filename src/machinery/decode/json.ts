import { goJsonError } from './go-json.ts';

/** Go's encoding/json follows no deeper nesting; V8 takes seconds to. */
const maxDepth = 10_000;

/** @throws SyntaxError in the words of Go's encoding/json: V8's quote the text, which may be a secret's */
export function parseJson(body: Buffer, text: string): unknown {
  if (nestsDeeper(body, maxDepth)) throw new SyntaxError('exceeded max depth');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new SyntaxError(goJsonError(body) ?? 'invalid JSON');
  }
}

const quote = 0x22;
const backslash = 0x5c;

/** Whether more objects and lists are open at once. Looks at brackets only, so that broken JSON may pass. */
function nestsDeeper(json: Buffer, max: number): boolean {
  // So deep a text has as many brackets.
  if (json.length <= max) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > max) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    else if (byte === quote) {
      at += 1;
      while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1;
    }
  }
  return false;
}

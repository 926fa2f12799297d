/**
 * JSON that Keylet itself wrote: what is stored, what its API answers.
 * @throws Error that quotes nothing: V8's messages quote the text, which may be a secret's
 */
export function parseOwnJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error('invalid JSON');
  }
}

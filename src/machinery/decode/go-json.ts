import { goQuote } from '../go-quote.ts';

/*
 * Why JSON does not parse, in the words of Go's encoding/json. V8's own messages quote the text
 * around the fault, which may be a secret's; Go's show the one character that did not fit.
 */

const maxDepth = 10_000;
const endOfInput = 'unexpected end of JSON input';

/** A fault, as text; thrown inside of this file only. */
class Fault extends Error {}

/** @returns undefined where Go would find no fault */
export function goJsonError(bytes: Buffer): string | undefined {
  try {
    createScanner(bytes).document();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

const code = (character: string): number => character.charCodeAt(0);
const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 0x30 && byte <= 0x39;
const isHex = (byte: number): boolean => /[0-9a-fA-F]/.test(String.fromCharCode(byte));

/** A byte as Go shows it: taken for the code point of its number. */
function shown(byte: number): string {
  const character = String.fromCharCode(byte);
  if (character === "'") return String.raw`'\''`;
  return character === '"' ? `'"'` : `'${goQuote(character).slice(1, -1)}'`;
}

function createScanner(bytes: Buffer): { document(): void } {
  let at = 0;
  const peek = (): number | undefined => bytes[at];
  const next = (): number => {
    const byte = bytes[at];
    if (byte === undefined) throw new Fault(endOfInput);
    at += 1;
    return byte;
  };
  const unfit = (byte: number, where: string): Fault =>
    new Fault(`invalid character ${shown(byte)} ${where}`);
  const skipSpace = (): void => {
    while (isSpace(peek())) at += 1;
  };

  const literal = (word: string): void => {
    for (const expected of word.slice(1)) {
      const byte = next();
      if (byte !== code(expected)) {
        throw unfit(byte, `in literal ${word} (expecting '${expected}')`);
      }
    }
  };
  const digits = (where: string): void => {
    const byte = next();
    if (!isDigit(byte)) throw unfit(byte, where);
    while (isDigit(peek())) at += 1;
  };
  const number = (first: number): void => {
    const leading = first === code('-') ? next() : first;
    if (!isDigit(leading)) throw unfit(leading, 'in numeric literal');
    if (leading !== code('0')) while (isDigit(peek())) at += 1;
    if (peek() === code('.')) {
      at += 1;
      digits('after decimal point in numeric literal');
    }
    if (peek() === code('e') || peek() === code('E')) {
      at += 1;
      if (peek() === code('+') || peek() === code('-')) at += 1;
      digits('in exponent of numeric literal');
    }
  };
  const string = (): void => {
    for (let byte = next(); byte !== code('"'); byte = next()) {
      if (byte < 0x20) throw unfit(byte, 'in string literal');
      if (byte !== code('\\')) continue;
      const escaped = next();
      if (escaped === code('u')) {
        for (let i = 0; i < 4; i++) {
          const hex = next();
          if (!isHex(hex)) throw unfit(hex, 'in \\u hexadecimal character escape');
        }
      } else if (!'bfnrt\\/"'.includes(String.fromCharCode(escaped))) {
        throw unfit(escaped, 'in string escape code');
      }
    }
  };
  const key = (byte: number): void => {
    if (byte !== code('"')) throw unfit(byte, 'looking for beginning of object key string');
    string();
    skipSpace();
    const colon = next();
    if (colon !== code(':')) throw unfit(colon, 'after object key');
  };

  /** Objects and arrays that are open, by their closing bracket. */
  const open: number[] = [];
  const push = (closing: number): void => {
    open.push(closing);
    if (open.length > maxDepth) throw new Fault('exceeded max depth');
  };
  /** The beginning of a value. @returns whether the value is whole with it */
  const value = (byte: number): boolean => {
    const character = String.fromCharCode(byte);
    if (character === '{' || character === '[') return composite(character === '{');
    if (character === '"') string();
    else if (character === 't') literal('true');
    else if (character === 'f') literal('false');
    else if (character === 'n') literal('null');
    else if (character === '-' || isDigit(byte)) number(byte);
    else throw unfit(byte, 'looking for beginning of value');
    return true;
  };
  const composite = (isObject: boolean): boolean => {
    const closing = code(isObject ? '}' : ']');
    push(closing);
    skipSpace();
    if (peek() === closing) {
      at += 1;
      open.pop();
      return true;
    }
    if (isObject) key(next());
    return false;
  };
  /** What follows a whole value: closing brackets, or the next member. */
  const follow = (): void => {
    for (let closing = open.at(-1); closing !== undefined; closing = open.at(-1)) {
      skipSpace();
      const byte = next();
      const isObject = closing === code('}');
      if (byte === closing) open.pop();
      else if (byte === code(',')) {
        skipSpace();
        if (isObject) key(next());
        return;
      } else throw unfit(byte, isObject ? 'after object key:value pair' : 'after array element');
    }
  };

  return {
    document() {
      do {
        skipSpace();
        if (value(next())) follow();
      } while (open.length > 0);
      skipSpace();
      const more = peek();
      if (more !== undefined) throw unfit(more, 'after top-level value');
    },
  };
}

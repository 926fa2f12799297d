/**
 * A JSON value as YAML, in pieces: a large one need not be held as one text, nor written in one go.
 * Every reader of YAML 1.1 or 1.2 reads the same value. Fields whose value is undefined are left out.
 */
export function* yamlPieces(value: unknown): Generator<string> {
  const out = new PieceBuffer();
  if (isCollection(value)) yield* writeCollection(value, '', out);
  else out.add(`${scalar(value, '')}\n`);
  yield out.take();
}

/** The whole text at once, for values that are small. */
export const writeYaml = (value: unknown): string => [...yamlPieces(value)].join('');

const pieceChars = 16 * 1024;

class PieceBuffer {
  #text = '';

  add(text: string): void {
    this.#text += text;
  }

  get isFull(): boolean {
    return this.#text.length >= pieceChars;
  }

  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}

type Collection = readonly unknown[] | Readonly<Record<string, unknown>>;

function isCollection(value: unknown): value is Collection {
  return typeof value === 'object' && value !== null && !isEmpty(value);
}

function isEmpty(value: object): boolean {
  // oxlint-disable-next-line no-unreachable-loop -- one field is enough to know
  for (const _ in value) return false;
  return true;
}

/** @param first what its first line begins with: nothing behind the dash of a list */
function* writeCollection(
  value: Collection,
  indent: string,
  out: PieceBuffer,
  first = indent,
): Generator<string> {
  let begin = first;
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) {
      out.add(`${begin}- `);
      begin = indent;
      if (isCollection(item)) yield* writeCollection(item, `${indent}  `, out, '');
      else out.add(`${scalar(item, `${indent}  `)}\n`);
      if (out.isFull) yield out.take();
    }
    return;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name in fields) {
    const field = fields[name];
    if (field === undefined) continue;
    const key = quoted(name);
    // YAML takes no longer key without a mark.
    out.add(key.length > maxKeyChars ? `${begin}? ${key}\n${indent}:` : `${begin}${key}:`);
    begin = indent;
    if (isCollection(field)) {
      out.add('\n');
      // Lists stand at the indentation of their key, as Kubernetes writes them.
      yield* writeCollection(field, Array.isArray(field) ? indent : `${indent}  `, out);
    } else out.add(` ${scalar(field, `${indent}  `)}\n`);
    if (out.isFull) yield out.take();
  }
}

const maxKeyChars = 1000;

/** @param indent of the lines of a text that has several */
function scalar(value: unknown, indent: string): string {
  if (typeof value === 'string') return block(value, indent) ?? quoted(value);
  if (Array.isArray(value)) return '[]';
  if (typeof value === 'object' && value !== null) return '{}';
  return JSON.stringify(value) ?? 'null';
}

/** What no reader takes for anything but a text: it begins with a letter, and nothing in it is a mark. */
const plain = /^[A-Za-z/](?:[\w ./@+=,;%()-]|:(?![ ]|$))*$/;
/** YAML 1.1's words for true, false and null. */
const words = /^(?:y|yes|n|no|on|off|true|false|null)$/i;
/** Beyond what JSON escapes: characters that YAML does not print, or takes for line ends. */
// oxlint-disable-next-line no-control-regex -- control characters are what is escaped
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** Longer texts are quoted without a look: the look would cost more than the writing. */
const maxPlainChars = 4096;

const quoted = (text: string): string =>
  text.length <= maxPlainChars && plain.test(text) && !text.endsWith(' ') && !words.test(text)
    ? text
    : JSON.stringify(text).replace(
        unprintable,
        each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );

const notLiteral =
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;

const maxBlockChars = 64 * 1024;

/** A text of several lines as they are; undefined where that would not be read back. */
function block(text: string, indent: string): string | undefined {
  if (text.length > maxBlockChars || !text.includes('\n')) return undefined;
  if (notLiteral.test(text) || /^\s|[ \t]$/.test(text)) return undefined;
  const ending = text.endsWith('\n\n') ? '+' : text.endsWith('\n') ? '' : '-';
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  return `|${ending}\n${indent}${body.replaceAll(/\n(?=[^\n])/g, `\n${indent}`)}`;
}

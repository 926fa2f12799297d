import {
  Composer,
  isScalar,
  Lexer,
  LineCounter,
  Parser,
  visit,
  type CST,
  type Document,
  type ErrorCode,
  type ScalarTag,
} from 'yaml';
import { goQuote } from '../go-quote.ts';
import { shorten } from '../shorten.ts';
import { exceedsDepth } from './depth.ts';
import { maxComplaints } from './structure.ts';

/**
 * Integers as Kubernetes' YAML reads them: `0400` and `0o400` are octal, `0x1f` hexadecimal,
 * `0b11` binary. The library's own rule reads `0400` as decimal 400: a valid, wrong mode.
 */
const integer: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  identify: value => typeof value === 'number' && Number.isInteger(value),
  test: /^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$/,
  resolve: text => {
    const digits = text.replaceAll('_', '').replace(/^[-+]/, '').toLowerCase();
    const octal = /^0o?([0-7]+)$/.exec(digits);
    const value = octal === null ? Number(digits) : Number.parseInt(octal[1] ?? '', 8);
    return text.startsWith('-') ? -value : value;
  },
  stringify: ({ value }) => String(value),
};

/** YAML 1.1's words for true and false, which Kubernetes' YAML still reads. */
const boolean: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  identify: value => typeof value === 'boolean',
  test: /^(?:y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE)$/,
  resolve: text => /^(?:y|yes|on|true)$/i.test(text),
  stringify: ({ value }) => String(value),
};

export interface YamlDocument {
  /** The last of several values of one key counts. */
  readonly value: unknown;
  /** The first keys that stand twice, as Go's YAML tells it: `line 6: key "a" already set in map`. */
  readonly duplicateKeys: readonly string[];
}

/**
 * The documents of a YAML stream as JSON values; empty ones are left out.
 * @throws SyntaxError `error converting YAML to JSON: yaml: …`, which never quotes the text
 */
export function parseYaml(text: string): YamlDocument[] {
  const lines = new LineCounter();
  const composer = new Composer({
    version: '1.1',
    schema: 'core',
    merge: true,
    uniqueKeys: false,
    customTags: tags => [integer, boolean, ...tags],
  });
  return Array.from(composer.compose(tokens(text, lines)), document => ({
    value: valueOf(document, lines),
    duplicateKeys: duplicateKeys(document, lines),
  })).filter(({ value }) => value !== null && value !== undefined);
}

const fault = (words: string): SyntaxError =>
  new SyntaxError(`error converting YAML to JSON: yaml: ${words}`);

/** The library's own messages quote tokens, which may be a secret's: these are Go's words. */
const goWords: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: "did not find expected ',' or '}'",
  BAD_SCALAR_START: 'found character that cannot start any token',
  BLOCK_AS_IMPLICIT_KEY: 'mapping values are not allowed in this context',
  MISSING_CHAR: "could not find expected ':'",
  TAB_AS_INDENT: 'found character that cannot start any token',
};

/** Deeper than any manifest; and an anchor that contains itself has no end. */
const maxDepth = 1000;
/**
 * The library composes nested nodes by recursion, and a regular expression that V8 compiles where the
 * stack ends takes the whole process with it.
 */
const maxNesting = 400;

/** Checked here, before the composer recurses: the parser keeps a stack of its own. */
function* tokens(text: string, lines: LineCounter): Generator<CST.Token, void> {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > maxNesting) throw fault('exceeded max depth');
  }
  yield* parser.end();
}

function valueOf(document: Document.Parsed, lines: LineCounter): unknown {
  const [error] = document.errors;
  if (error !== undefined) {
    const words = goWords[error.code] ?? 'did not find expected key';
    throw fault(`line ${lines.linePos(error.pos[0]).line}: ${words}`);
  }
  const value = toJs(document);
  if (exceedsDepth(value, maxDepth)) throw fault('exceeded max depth');
  return value;
}

function toJs(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith('Excessive alias count')) {
      throw fault('document contains excessive aliasing');
    }
    if (message.startsWith('Unresolved alias')) throw fault('unknown anchor referenced');
    throw fault('map merge requires map or sequence of maps as the value');
  }
}

function duplicateKeys(document: Document.Parsed, lines: LineCounter): string[] {
  const found: string[] = [];
  visit(document, {
    Map(_, { items }) {
      const names = new Set<string>();
      for (const { key } of items) {
        if (found.length === maxComplaints) return visit.BREAK;
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (names.has(name)) {
          const { line } = lines.linePos(key.range?.[0] ?? 0);
          found.push(`line ${line}: key ${goQuote(shorten(name))} already set in map`);
        }
        names.add(name);
      }
      return undefined;
    },
  });
  return found;
}

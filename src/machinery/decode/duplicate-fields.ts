import { shorten } from '../shorten.ts';
import { maxComplaints } from './structure.ts';

/** An object or a list that is open where the scan stands. */
interface Open {
  /** Where the object or list lies. */
  readonly path: string;
  /** Absent for a list. Each name says whether its repetition is reported. */
  readonly names: Map<string, boolean> | undefined;
  /** The present member of an object. */
  name: string;
  /** The present element of a list. */
  index: number;
}

/**
 * Paths of the first fields that stand twice in one JSON object: JSON.parse takes the last and is silent.
 * One pass over the text, whatever it holds.
 * @param value what the text was parsed to
 */
export function duplicateFields(text: string, value: unknown): string[] {
  if (isWhole(text, value)) return [];
  const found = new Set<string>();
  const stack: Open[] = [];
  let top: Open | undefined;
  let nameIsNext = false;
  for (let at = 0; at < text.length && found.size < maxComplaints; at += 1) {
    switch (text[at]) {
      case '{':
      case '[': {
        const isObject = text[at] === '{';
        top = { path: pathIn(top), names: isObject ? new Map() : undefined, name: '', index: 0 };
        stack.push(top);
        nameIsNext = isObject;
        break;
      }
      case '}':
      case ']':
        stack.pop();
        top = stack.at(-1);
        nameIsNext = false;
        break;
      case ',':
        if (top !== undefined) top.index += 1;
        nameIsNext = top?.names !== undefined;
        break;
      case '"': {
        const end = endOfString(text, at);
        if (nameIsNext && top?.names !== undefined) {
          top.name = unquoted(text.slice(at, end));
          if (isFirstRepetition(top.names, top.name)) found.add(pathIn(top));
          nameIsNext = false;
        }
        at = end - 1;
        break;
      }
      default:
    }
  }
  return [...found];
}

function isFirstRepetition(names: Map<string, boolean>, name: string): boolean {
  const reported = names.get(name);
  if (reported !== true) names.set(name, reported !== undefined);
  return reported === false;
}

/** @returns behind the closing quote of the string that begins there */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

const unquoted = (token: string): string =>
  token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1);

/** Path of the present member or element. */
function pathIn(open: Open | undefined): string {
  if (open === undefined) return '';
  const { path, names, name, index } = open;
  if (names === undefined) return shorten(`${path}[${index}]`);
  return shorten(path === '' ? name : `${path}.${name}`);
}

/** Whether the value has as many names as the text: nothing was lost then. Cheap, and unsure of odd texts. */
function isWhole(text: string, value: unknown): boolean {
  // A quote before a colon ends a name, unless it is part of a text; a space between hides one.
  if (text.includes('\\":') || /"\s+:/.test(text)) return false;
  let names = 0;
  for (let at = text.indexOf('":'); at >= 0; at = text.indexOf('":', at + 2)) names += 1;
  try {
    return names === namesIn(value);
  } catch {
    // Nested deeper than can be followed.
    return false;
  }
}

function namesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + namesIn(each), 0);
  const members = Object.values(value);
  return members.reduce((sum: number, each) => sum + namesIn(each), members.length);
}

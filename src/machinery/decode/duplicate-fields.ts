import { maxComplaints } from './structure.ts';

/**
 * Paths of fields that stand twice in one JSON object: JSON.parse takes the last and is silent.
 * @param value what the text was parsed to
 */
export function duplicateFields(text: string, value: unknown): string[] {
  if (isWhole(text, value)) return [];
  const found: string[] = [];
  const stack: { names: Set<string> | undefined; name: string; index: number }[] = [];
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
  let previous = '';
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    const [token] = match;
    const top = stack.at(-1);
    if (token === '{') stack.push({ names: new Set(), name: '', index: 0 });
    else if (token === '[') stack.push({ names: undefined, name: '', index: 0 });
    else if (token === '}' || token === ']') stack.pop();
    else if (token === ',' && top !== undefined) top.index += 1;
    else if (
      token.startsWith('"') &&
      top?.names !== undefined &&
      (previous === '{' || previous === ',')
    ) {
      top.name = JSON.parse(token) as string;
      if (top.names.has(top.name)) found.push(pathOf(stack));
      top.names.add(top.name);
    }
    previous = token;
  }
  return [...new Set(found)].slice(0, maxComplaints);
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

function pathOf(
  stack: readonly { names: Set<string> | undefined; name: string; index: number }[],
): string {
  let path = '';
  for (const { names, name, index } of stack) {
    if (names === undefined) path += `[${index}]`;
    else path += path === '' ? name : `.${name}`;
  }
  return path;
}

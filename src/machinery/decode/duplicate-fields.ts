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

/** Whether the value, written as most clients write, is the text again: nothing was lost then. */
function isWhole(text: string, value: unknown): boolean {
  try {
    return JSON.stringify(value) === text.trimEnd();
  } catch {
    // Nested deeper than can be written.
    return false;
  }
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

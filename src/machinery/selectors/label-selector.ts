import { memberOf } from '../member.ts';
import { boundSelector } from './bound-selector.ts';
import { labelValue, qualifiedName } from '../validation/names.ts';

/** Whether labels are chosen. */
export type LabelMatcher = (labels: Readonly<Record<string, string>>) => boolean;

/** metav1.LabelSelector. */
export interface LabelSelectorObject {
  matchLabels?: Record<string, string> | undefined;
  matchExpressions?: { key: string; operator: string; values?: string[] | undefined }[] | undefined;
}

type Operator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';
interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: ReadonlySet<string>;
}
const none: ReadonlySet<string> = new Set();

const tokens = /\s*(\(|\)|,|==|=|!=|!|>|<|[^\s(),=!<>]+)/y;

/**
 * The string form: `a=b,c!=d,e in (f,g),h,!i`.
 * @throws SyntaxError in Kubernetes' words
 */
export function parseLabelSelector(text: string): LabelMatcher {
  const requirements = parse(text);
  boundSelector(
    'label',
    requirements.reduce((sum, { values }) => sum + Math.max(values.size, 1), 0),
  );
  return labels => requirements.every(each => holds(each, labels));
}

const operators: ReadonlyMap<string, Operator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
]);

export function labelSelectorMatcher(selector: LabelSelectorObject): LabelMatcher {
  const requirements: Requirement[] = [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]): Requirement => ({
      key,
      operator: '=',
      values: new Set([value]),
    })),
    ...(selector.matchExpressions ?? []).map(({ key, operator, values = [] }): Requirement => ({
      key,
      operator: operators.get(operator) ?? '!',
      values: new Set(values),
    })),
  ];
  return labels => requirements.every(each => holds(each, labels));
}

function holds(
  { key, operator, values }: Requirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = memberOf(labels, key);
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.has(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.has(value);
    case 'gt':
      return value !== undefined && Number(value) > Number(firstOf(values));
    case 'lt':
      return value !== undefined && Number(value) < Number(firstOf(values));
  }
}

const firstOf = ([first]: ReadonlySet<string>): string | undefined => first;

function parse(text: string): Requirement[] {
  const words = tokenize(text);
  const requirements: Requirement[] = [];
  let at = 0;
  const next = (): string | undefined => words[at++];
  while (at < words.length) {
    requirements.push(requirement(next, () => words[at]));
    const separator = next();
    if (separator === undefined) break;
    if (separator !== ',') throw unexpected(separator, "',' or 'end of string'");
    if (at >= words.length) throw unexpected('', "identifier after ','");
  }
  return requirements;
}

function tokenize(text: string): string[] {
  const words: string[] = [];
  const trimmed = text.trimEnd();
  let at = 0;
  while (at < trimmed.length) {
    tokens.lastIndex = at;
    const word = tokens.exec(trimmed)?.[1];
    if (word === undefined) throw unexpected(text.slice(at), 'identifier');
    words.push(word);
    at = tokens.lastIndex;
  }
  return words;
}

function requirement(next: () => string | undefined, peek: () => string | undefined): Requirement {
  const first = next() ?? '';
  if (first === '!') return { key: keyOf(next() ?? ''), operator: '!', values: none };
  const key = keyOf(first);
  const operator = peek();
  if (operator === undefined || operator === ',') return { key, operator: 'exists', values: none };
  next();
  switch (operator) {
    case '=':
    case '==':
    case '!=': {
      const value = peek() === undefined || peek() === ',' ? '' : (next() ?? '');
      return { key, operator, values: new Set([valueOf(key, value)]) };
    }
    case '>':
    case '<':
      return { key, operator: operator === '>' ? 'gt' : 'lt', values: new Set([next() ?? '']) };
    case 'in':
    case 'notin':
      return { key, operator, values: new Set(valueList(key, next)) };
    default:
      throw unexpected(operator, "in, notin, =, ==, !=, gt, lt, '!'");
  }
}

function valueList(key: string, next: () => string | undefined): string[] {
  const open = next() ?? '';
  if (open !== '(') throw unexpected(open, "'('");
  const values: string[] = [];
  for (let word = next(); word !== ')'; word = next()) {
    if (word === undefined) throw unexpected('', "',' or ')'");
    if (word !== ',') values.push(valueOf(key, word));
  }
  return values;
}

function keyOf(key: string): string {
  const errors = qualifiedName(key);
  if (errors.length > 0) {
    throw new SyntaxError(
      `unable to parse requirement: key: Invalid value: ${JSON.stringify(key)}: ${errors.join('; ')}`,
    );
  }
  return key;
}

function valueOf(key: string, value: string): string {
  const errors = labelValue(value);
  if (errors.length > 0) {
    throw new SyntaxError(
      `unable to parse requirement: values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${errors.join('; ')}`,
    );
  }
  return value;
}

const unexpected = (found: string, expected: string): SyntaxError =>
  new SyntaxError(`unable to parse requirement: found '${found}', expected: ${expected}`);

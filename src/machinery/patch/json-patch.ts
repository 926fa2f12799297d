import { exceedsDepth } from '../decode/depth.ts';
import { memberOf, setMember } from '../member.ts';
import { shorten } from '../shorten.ts';
import { isRecord } from './merge-patch.ts';
import { createWorkBudget, PatchError, type WorkBudget } from './patch-error.ts';

/** As it was sent. */
interface Operation {
  readonly op?: unknown;
  readonly path?: unknown;
  readonly from?: unknown;
  readonly value?: unknown;
}

/**
 * RFC 6902 on a private copy of `document`.
 * @throws PatchError when an operation is malformed, its path is missing, or a test fails
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw new PatchError('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  let current: unknown = structuredClone(document);
  const budget: Budget = { copiedBytes: 0, work: createWorkBudget() };
  for (const operation of patch as Operation[]) current = apply(current, operation, budget);
  mustBeShallow(current);
  return current;
}

interface Budget {
  copiedBytes: number;
  readonly work: WorkBudget;
}

/** Deeper than any object, and well within what a recursion over it can follow. */
const maxDepth = 2000;

function mustBeShallow(value: unknown): void {
  if (exceedsDepth(value, maxDepth)) throw new PatchError('exceeded max depth');
}

/** As much as a body may have: a copy of a copy of a copy would otherwise fill the memory. */
const maxCopiedBytes = 3 * 1024 * 1024;

function copied(value: unknown, budget: Budget): unknown {
  mustBeShallow(value);
  const json = JSON.stringify(value);
  budget.copiedBytes += Buffer.byteLength(json);
  if (budget.copiedBytes > maxCopiedBytes) {
    throw new PatchError(
      `Unable to complete the copy, the accumulated size increase of copy is ${budget.copiedBytes}, exceeding the limit ${maxCopiedBytes}`,
    );
  }
  return JSON.parse(json) as unknown;
}

function apply(document: unknown, operation: Operation, budget: Budget): unknown {
  // Left out, a value is null, as in Kubernetes' library.
  const { path, from = '', value = null } = operation;
  const op = typeof operation.op === 'string' ? shorten(operation.op) : 'unknown';
  if (typeof path !== 'string') throw new PatchError(`${op} operation: missing path`);
  if (typeof from !== 'string') throw new PatchError(`${op} operation: missing from`);
  switch (op) {
    case 'add':
      return add(document, path, structuredClone(value), budget);
    case 'remove':
      return remove(document, path, budget).document;
    case 'replace': {
      // RFC 6902 4.3: the target of replace must exist
      get(document, path, 'replace');
      return path === '' ? structuredClone(value) : set(document, path, structuredClone(value));
    }
    case 'move': {
      const taken = remove(document, from, budget);
      return add(taken.document, path, taken.value, budget);
    }
    case 'copy':
      return add(document, path, copied(get(document, from, 'copy'), budget), budget);
    case 'test':
      if (!equals(get(document, path, 'test'), value, budget)) {
        throw new PatchError(`testing value ${shorten(path)} failed: test failed`);
      }
      return document;
    default:
      throw new PatchError(`Unexpected kind: ${op}`);
  }
}

/** Walks what is expected, whatever the document has there. */
function equals(actual: unknown, expected: unknown, budget: Budget): boolean {
  if (Array.isArray(expected)) {
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      expected.every((each, i) => equals(actual[i], each, budget))
    );
  }
  if (!isRecord(expected)) return actual === expected;
  if (!isRecord(actual)) return false;
  const members = Object.entries(expected);
  if (!members.every(([name, each]) => equals(memberOf(actual, name), each, budget))) return false;
  const { length } = Object.keys(actual);
  budget.work.spend(length);
  return length === members.length;
}

const segments = (pointer: string): string[] => pointer.split('/').slice(1).map(unescaped);

const unescaped = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');

const missing = (op: string, path: string): PatchError =>
  new PatchError(
    `${op} operation does not apply: doc is missing path: "${shorten(path)}": missing value`,
  );

/** Longer than a path to anything that an object can hold. */
const maxPathChars = 64 * 1024;

function get(document: unknown, path: string, op: string): unknown {
  if (path !== '' && !path.startsWith('/')) throw missing(op, path);
  if (path.length > maxPathChars) throw missing(op, path);
  let current = document;
  for (const part of segments(path)) {
    const next = Array.isArray(current)
      ? current[indexOf(part, current.length - 1, op, path)]
      : memberOf(current, part);
    if (next === undefined) throw missing(op, path);
    current = next;
  }
  return current;
}

function indexOf(part: string, max: number, op: string, path: string): number {
  const index = /^(0|[1-9]\d*)$/.test(part) ? Number(part) : Number.NaN;
  if (!(index <= max)) throw missing(op, path);
  return index;
}

function parentOf(document: unknown, path: string, op: string): { parent: unknown; last: string } {
  const cut = path.lastIndexOf('/');
  return {
    parent: get(document, path.slice(0, Math.max(cut, 0)), op),
    last: unescaped(path.slice(cut + 1)),
  };
}

function add(document: unknown, path: string, value: unknown, budget: Budget): unknown {
  if (path === '') return value;
  if (!path.startsWith('/')) throw missing('add', path);
  const { parent, last } = parentOf(document, path, 'add');
  if (Array.isArray(parent)) {
    const at = last === '-' ? parent.length : indexOf(last, parent.length, 'add', path);
    budget.work.spend(parent.length - at);
    parent.splice(at, 0, value);
  } else if (typeof parent === 'object' && parent !== null) {
    setMember(parent, last, value);
  } else throw missing('add', path);
  return document;
}

function set(document: unknown, path: string, value: unknown): unknown {
  const { parent, last } = parentOf(document, path, 'replace');
  setMember(parent as object, last, value);
  return document;
}

function remove(
  document: unknown,
  path: string,
  budget: Budget,
): { document: unknown; value: unknown } {
  // The whole of the document cannot go.
  if (path === '') throw missing('remove', path);
  const value = get(document, path, 'remove');
  const { parent, last } = parentOf(document, path, 'remove');
  if (Array.isArray(parent)) {
    budget.work.spend(parent.length - Number(last));
    parent.splice(Number(last), 1);
  } else delete (parent as Record<string, unknown>)[last];
  return { document, value };
}

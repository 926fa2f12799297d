import { isDeepStrictEqual } from 'node:util';
import { exceedsDepth } from '../decode/depth.ts';
import { memberOf, setMember } from '../member.ts';

/** A patch that does not fit the object; `message` in Kubernetes' words. */
export class PatchError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PatchError';
  }
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
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
  const budget = { copiedBytes: 0 };
  for (const operation of patch as Operation[]) current = apply(current, operation, budget);
  mustBeShallow(current);
  return current;
}

/** Deeper than any object, and well within what a recursion over it can follow. */
const maxDepth = 2000;

function mustBeShallow(value: unknown): void {
  if (exceedsDepth(value, maxDepth)) throw new PatchError('exceeded max depth');
}

/** As much as a body may have: a copy of a copy of a copy would otherwise fill the memory. */
const maxCopiedBytes = 3 * 1024 * 1024;

function copied(value: unknown, budget: { copiedBytes: number }): unknown {
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

function apply(document: unknown, operation: Operation, budget: { copiedBytes: number }): unknown {
  const { op, path, from = '', value } = operation;
  if (typeof path !== 'string') throw new PatchError(`${op} operation: missing path`);
  if (typeof from !== 'string') throw new PatchError(`${op} operation: missing from`);
  switch (op) {
    case 'add':
      return add(document, path, structuredClone(value));
    case 'remove':
      return remove(document, path).document;
    case 'replace': {
      // RFC 6902 4.3: the target of replace must exist
      get(document, path, 'replace');
      return path === '' ? structuredClone(value) : set(document, path, structuredClone(value));
    }
    case 'move': {
      const taken = remove(document, from);
      return add(taken.document, path, taken.value);
    }
    case 'copy':
      return add(document, path, copied(get(document, from, 'copy'), budget));
    case 'test': {
      const found = get(document, path, 'test');
      mustBeShallow(found);
      if (!isDeepStrictEqual(found, value)) {
        throw new PatchError(`testing value ${path} failed: test failed`);
      }
      return document;
    }
    default:
      throw new PatchError(`Unexpected kind: ${op}`);
  }
}

const segments = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'));

const missing = (op: string, path: string): PatchError =>
  new PatchError(`${op} operation does not apply: doc is missing path: "${path}": missing value`);

function get(document: unknown, path: string, op: string): unknown {
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
    last: segments(path).at(-1) ?? '',
  };
}

function add(document: unknown, path: string, value: unknown): unknown {
  if (path === '') return value;
  const { parent, last } = parentOf(document, path, 'add');
  if (Array.isArray(parent)) {
    parent.splice(
      last === '-' ? parent.length : indexOf(last, parent.length, 'add', path),
      0,
      value,
    );
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

function remove(document: unknown, path: string): { document: unknown; value: unknown } {
  const value = get(document, path, 'remove');
  const { parent, last } = parentOf(document, path, 'remove');
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as Record<string, unknown>)[last];
  return { document, value };
}

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  decodeMeta,
  decodeNodes,
  decodeOverflow,
  decodePageHeader,
  decodeTree,
  metaBytes,
  nodeFlags,
  overflowPagesOf,
  pageFlags,
  pageHeaderBytes,
  readNumber,
  treeBytes,
  type Meta,
  type Node,
  type Tree,
} from './file-layout.ts';

/** What is wrong with a data file. */
export class DamagedFileError extends Error {
  override readonly name = 'DamagedFileError';
}

/**
 * Checks that a data file is whole before lmdb maps it: lmdb trusts what it reads, so that a damaged
 * file ends the process by a signal. All pages of all trees are read; values are not looked at.
 * @throws DamagedFileError; what the file system throws
 */
export function verifyFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    new Verification(file, newestMeta(file)).run();
  } finally {
    closeSync(file);
  }
}

function newestMeta(file: number): Meta {
  const first = decodeMeta(readAt(file, 0, metaBytes));
  if (first === undefined) throw new DamagedFileError('its first page is not a meta page');
  const { pageBytes } = first;
  const second = decodeMeta(readAt(file, pageBytes, metaBytes));
  if (second === undefined || second.pageBytes !== pageBytes)
    throw new DamagedFileError('its second page is not a meta page');
  const metas = [first, second] as const;
  const isNew = metas.every(({ transaction }) => transaction === 0);
  const inTurn = metas.every(({ transaction }, i) => transaction % 2 === i);
  if (!isNew && (!inTurn || Math.abs(first.transaction - second.transaction) !== 1))
    throw new DamagedFileError('its meta pages do not belong together');
  const newest = first.transaction >= second.transaction ? first : second;
  if (newest.lastPage < 1 || !Number.isSafeInteger(newest.lastPage))
    throw new DamagedFileError('its meta page is damaged');
  return newest;
}

function readAt(
  file: number,
  position: number,
  length: number,
  into: Buffer = Buffer.alloc(length),
): Buffer {
  const read = readSync(file, into, 0, length, position);
  return into.subarray(0, read);
}

/** The key before, in the order of a tree. */
interface Bound {
  readonly key: Buffer;
  /** Whether it is a leaf's, so that the next key has to be greater; a branch's may be met again. */
  readonly exclusive: boolean;
}

interface Walk {
  readonly tree: Tree;
  readonly name: string;
  /** Of an entry whose value lies in its leaf. */
  readonly plainFlags: number;
  readonly compare: (a: Buffer, b: Buffer) => number;
  /** Called for each entry of the tree. */
  readonly onEntry: (page: Buffer, node: Node) => void;
  bound: Bound | undefined;
  branchPages: number;
  leafPages: number;
  overflowPages: number;
  entries: number;
}

/** The last pages of a file may be free and never written: no more of them than one transaction makes. */
const maxUnwrittenPages = 0x10000;

const ignore = (): void => undefined;

class Verification {
  readonly #file: number;
  readonly #meta: Meta;
  /** One bit a page: whether it was met, in use or free. */
  readonly #met: Uint8Array;
  readonly #buffers: Buffer[] = [];

  constructor(file: number, meta: Meta) {
    this.#file = file;
    this.#meta = meta;
    const { size } = fstatSync(file);
    if (meta.lastPage > size / meta.pageBytes + maxUnwrittenPages)
      throw new DamagedFileError(`it is cut off at ${size} bytes`);
    this.#met = new Uint8Array((meta.lastPage >> 3) + 1);
  }

  run(): void {
    const { main, free } = this.#meta;
    const tables: [string, Tree][] = [];
    this.#walk('tables', main, (page, node) => {
      if (node.valueBytes !== treeBytes)
        throw new DamagedFileError('its list of tables is damaged');
      const name = page.toString('utf8', node.keyStart, node.keyEnd).replace(/\0$/, '');
      tables.push([name, decodeTree(page, node.keyEnd)]);
    });
    for (const [name, tree] of tables) this.#walk(name, tree, ignore);
    this.#walk('free pages', free, (page, node) => this.#meetFree(this.#valueOf(page, node)));
  }

  #walk(name: string, tree: Tree, onEntry: Walk['onEntry']): void {
    const walk: Walk = {
      tree,
      name,
      onEntry,
      plainFlags: name === 'tables' ? nodeFlags.table : 0,
      compare: name === 'free pages' ? compareNumbers : Buffer.compare,
      bound: undefined,
      branchPages: 0,
      leafPages: 0,
      overflowPages: 0,
      entries: 0,
    };
    if (tree.root !== -1) this.#page(walk, tree.root, 1);
    if (
      walk.branchPages !== tree.branchPages ||
      walk.leafPages !== tree.leafPages ||
      walk.overflowPages !== tree.overflowPages ||
      walk.entries !== tree.entries
    )
      throw new DamagedFileError(`its table of ${name} does not have what it counted`);
  }

  #page(walk: Walk, number: number, depth: number): void {
    const page = this.#read(walk, number, depth);
    const isLeaf = depth === walk.tree.depth;
    const { flags } = decodePageHeader(page);
    if (depth > walk.tree.depth || flags !== (isLeaf ? pageFlags.leaf : pageFlags.branch))
      throw damagedPage(walk, number);
    const nodes = decodeNodes(page, isLeaf ? 'leaf' : 'branch');
    if (nodes === undefined || nodes.length === 0) throw damagedPage(walk, number);
    if (isLeaf) this.#leaf(walk, { page, number, nodes });
    else this.#branch(walk, { page, number, nodes, depth });
  }

  #branch(
    walk: Walk,
    { page, number, nodes, depth }: { page: Buffer; number: number; nodes: Node[]; depth: number },
  ): void {
    walk.branchPages += 1;
    for (const [i, { keyStart, keyEnd, child }] of nodes.entries()) {
      // The first key of a branch is not used.
      if (i > 0)
        this.#pass(walk, number, { key: page.subarray(keyStart, keyEnd), exclusive: false });
      if (walk.bound !== undefined)
        walk.bound = { ...walk.bound, key: Buffer.from(walk.bound.key) };
      this.#page(walk, child, depth + 1);
    }
  }

  #leaf(
    walk: Walk,
    { page, number, nodes }: { page: Buffer; number: number; nodes: Node[] },
  ): void {
    walk.leafPages += 1;
    walk.entries += nodes.length;
    for (const node of nodes) {
      this.#pass(walk, number, { key: page.subarray(node.keyStart, node.keyEnd), exclusive: true });
      if (node.flags !== walk.plainFlags && node.flags !== nodeFlags.overflow)
        throw damagedPage(walk, number);
      if (node.flags === nodeFlags.overflow) walk.overflowPages += this.#overflow(walk, page, node);
      walk.onEntry(page, node);
    }
    // The page's buffer is used again.
    if (walk.bound !== undefined) walk.bound = { ...walk.bound, key: Buffer.from(walk.bound.key) };
  }

  /** The next key in order. */
  #pass(walk: Walk, number: number, next: Bound): void {
    const { bound } = walk;
    const order = bound === undefined ? 1 : walk.compare(next.key, bound.key);
    if (order < 0 || (order === 0 && bound?.exclusive === true)) throw damagedPage(walk, number);
    walk.bound = next;
  }

  /** @returns how many pages the value takes */
  #overflow(walk: Walk, page: Buffer, node: Node): number {
    const { page: number, pages } = decodeOverflow(page, node.keyEnd);
    if (pages !== overflowPagesOf(node.valueBytes, this.#meta.pageBytes))
      throw damagedPage(walk, number);
    for (let i = 0; i < pages; i += 1) this.#meet(number + i, walk);
    const last = readAt(this.#file, (number + pages - 1) * this.#meta.pageBytes, 1);
    if (last.length === 0) throw new DamagedFileError(`it is cut off in page ${number}`);
    const header = decodePageHeader(this.#header(number));
    if (
      header.number !== number ||
      header.flags !== pageFlags.overflow ||
      header.pages !== pages ||
      !this.#isPast(header.transaction)
    )
      throw damagedPage(walk, number);
    return pages;
  }

  #header(number: number): Buffer {
    return readAt(this.#file, number * this.#meta.pageBytes, metaBytes);
  }

  #read(walk: Walk, number: number, depth: number): Buffer {
    this.#meet(number, walk);
    const { pageBytes } = this.#meta;
    const into = (this.#buffers[depth] ??= Buffer.alloc(pageBytes));
    const page = readAt(this.#file, number * pageBytes, pageBytes, into);
    if (page.length < pageBytes) throw new DamagedFileError(`it is cut off before page ${number}`);
    const header = decodePageHeader(page);
    if (header.number !== number || !this.#isPast(header.transaction))
      throw damagedPage(walk, number);
    return page;
  }

  #isPast(transaction: number): boolean {
    return transaction >= 0 && transaction <= this.#meta.transaction;
  }

  #meet(number: number, walk: Pick<Walk, 'name'>): void {
    const bit = 1 << (number & 7);
    if (
      !(number >= 2 && number <= this.#meta.lastPage) ||
      ((this.#met[number >> 3] ?? 0) & bit) !== 0
    )
      throw damagedPage(walk, number);
    this.#met[number >> 3] = (this.#met[number >> 3] ?? 0) | bit;
  }

  #valueOf(page: Buffer, node: Node): Buffer {
    if ((node.flags & nodeFlags.overflow) === 0)
      return page.subarray(node.keyEnd, node.keyEnd + node.valueBytes);
    const { page: number } = decodeOverflow(page, node.keyEnd);
    const start = number * this.#meta.pageBytes + pageHeaderBytes;
    return readAt(this.#file, start, node.valueBytes);
  }

  /** A list: its length, then page numbers; a negative one says how many follow from the next on. 0 is no page. */
  #meetFree(list: Buffer): void {
    const walk = { name: 'free pages' };
    const length = readNumber(list, 0);
    let isWhole = length >= 0 && (length + 1) * 8 <= list.length;
    let count = 1;
    for (let i = 1; isWhole && i <= length; i += 1) {
      const entry = readNumber(list, i * 8);
      if (entry < 0) {
        isWhole = count === 1 && i < length;
        count = -entry;
        continue;
      }
      if (entry > 0) for (let page = entry; page < entry + count; page += 1) this.#meet(page, walk);
      else isWhole &&= count === 1;
      count = 1;
    }
    if (!isWhole) throw new DamagedFileError('its list of free pages is damaged');
  }
}

const damagedPage = ({ name }: Pick<Walk, 'name'>, number: number): DamagedFileError =>
  new DamagedFileError(`page ${number} of its ${name} is damaged`);

const compareNumbers = (a: Buffer, b: Buffer): number => readNumber(a, 0) - readNumber(b, 0);

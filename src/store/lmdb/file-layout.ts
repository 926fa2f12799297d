/*
 * lmdb's data file as it is on disk (liblmdb/mdb.c: MDB_page, MDB_node, MDB_meta, MDB_db; 64 bits,
 * little-endian). Pages 0 and 1 are meta pages: transaction N writes meta page N % 2.
 */

export const pageHeaderBytes = 24;
/** The least that a data file has. */
export const metaPagesBytes = 2 * 4096;
export const metaBytes = pageHeaderBytes + 144;
const nodeHeaderBytes = 8;
const magic = 0xbeefc0de;
const dataVersion = 2;
export const maxPageBytes = 0x10000;

export const pageFlags = { branch: 0x01, leaf: 0x02, overflow: 0x04, meta: 0x08 } as const;
export const nodeFlags = { overflow: 0x01, table: 0x02 } as const;

/** One B-tree: MDB_db. */
export interface Tree {
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  /** -1: the tree is empty. */
  readonly root: number;
}

export const treeBytes = 48;

export const decodeTree = (bytes: Buffer, at: number): Tree => ({
  depth: bytes.readUInt16LE(at + 6),
  branchPages: readNumber(bytes, at + 8),
  leafPages: readNumber(bytes, at + 16),
  overflowPages: readNumber(bytes, at + 24),
  entries: readNumber(bytes, at + 32),
  root: readNumber(bytes, at + 40),
});

/** A page number, transaction or size. All ones are -1; what a double cannot hold is no valid one. */
export const readNumber = (bytes: Buffer, at: number): number =>
  bytes.readUInt32LE(at) + bytes.readInt32LE(at + 4) * 2 ** 32;

export interface Meta {
  readonly pageBytes: number;
  readonly free: Tree;
  readonly main: Tree;
  readonly lastPage: number;
  readonly transaction: number;
}

/** @returns undefined when it is no meta page of a format that is known */
export function decodeMeta(page: Buffer): Meta | undefined {
  const at = pageHeaderBytes;
  if (page.length < metaBytes || page.readUInt16LE(18) !== pageFlags.meta) return undefined;
  if (page.readUInt32LE(at) !== magic) return undefined;
  if ((page.readUInt32LE(at + 4) & 0xffff) !== dataVersion) return undefined;
  const pageBytes = page.readUInt32LE(at + 24);
  if (pageBytes < 256 || pageBytes > maxPageBytes || (pageBytes & (pageBytes - 1)) !== 0)
    return undefined;
  return {
    pageBytes,
    free: decodeTree(page, at + 24),
    main: decodeTree(page, at + 24 + treeBytes),
    lastPage: readNumber(page, at + 24 + 2 * treeBytes),
    transaction: readNumber(page, at + 32 + 2 * treeBytes),
  };
}

export interface PageHeader {
  readonly number: number;
  readonly transaction: number;
  readonly flags: number;
  /** Of an overflow value. */
  readonly pages: number;
}

export const decodePageHeader = (page: Buffer): PageHeader => ({
  number: readNumber(page, 0),
  transaction: readNumber(page, 8),
  flags: page.readUInt16LE(18),
  pages: page.readUInt32LE(20),
});

/** Where a node of a branch or leaf page lies. */
export interface Node {
  readonly keyStart: number;
  readonly keyEnd: number;
  /** Leaf: of the whole value, which may be on overflow pages. */
  readonly valueBytes: number;
  readonly flags: number;
  /** Branch: the page below. */
  readonly child: number;
}

/** @returns the nodes of a branch or leaf page; undefined when they do not fit into it exactly */
export function decodeNodes(page: Buffer, kind: 'branch' | 'leaf'): Node[] | undefined {
  const lower = page.readUInt16LE(20);
  const upper = page.readUInt16LE(22);
  const room = page.length - pageHeaderBytes;
  if (lower % 2 !== 0 || lower > upper || upper > room) return undefined;
  const nodes: Node[] = [];
  let used = 0;
  for (let i = 0; i < lower; i += 2) {
    const start = page.readUInt16LE(pageHeaderBytes + i) + pageHeaderBytes;
    if (start < pageHeaderBytes + upper || start + nodeHeaderBytes > page.length) return undefined;
    const low = page.readUInt16LE(start) + page.readUInt16LE(start + 2) * 0x10000;
    const flags = page.readUInt16LE(start + 4);
    const keyStart = start + nodeHeaderBytes;
    const keyEnd = keyStart + page.readUInt16LE(start + 6);
    const isOverflow = kind === 'leaf' && (flags & nodeFlags.overflow) !== 0;
    const inside = kind === 'branch' ? 0 : isOverflow ? overflowBytes : low;
    const end = keyEnd + inside;
    if (end > page.length) return undefined;
    used += end - start + ((end - start) & 1);
    nodes.push({
      keyStart,
      keyEnd,
      valueBytes: low,
      flags: kind === 'branch' ? 0 : flags,
      child: low + flags * 2 ** 32,
    });
  }
  return used === room - upper ? nodes : undefined;
}

/** What a leaf holds of a value that lies on overflow pages: MDB_ovpage. */
export interface Overflow {
  readonly page: number;
  readonly transaction: number;
  readonly pages: number;
}

const overflowBytes = 24;

export const decodeOverflow = (page: Buffer, at: number): Overflow => ({
  page: readNumber(page, at),
  transaction: readNumber(page, at + 8),
  pages: readNumber(page, at + 16),
});

/** How many pages a value of that size takes. */
export const overflowPagesOf = (valueBytes: number, pageBytes: number): number =>
  Math.floor((pageHeaderBytes - 1 + valueBytes) / pageBytes) + 1;

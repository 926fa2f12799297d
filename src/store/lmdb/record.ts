/** One revision of one key, as it is kept: three doubles, the type, the key's length, key, value. */
export interface RevisionRecord {
  readonly key: string;
  readonly type: 'put' | 'delete';
  readonly createRevision: number;
  readonly modRevision: number;
  /** modRevision of the value before; 0 where there was none. */
  readonly previousRevision: number;
  readonly value: Buffer;
}

const headerBytes = 3 * 8 + 1 + 2;

export function encodeRecord(record: RevisionRecord): Buffer {
  const key = Buffer.from(record.key);
  const bytes = Buffer.allocUnsafe(headerBytes + key.length + record.value.length);
  bytes.writeDoubleBE(record.createRevision, 0);
  bytes.writeDoubleBE(record.modRevision, 8);
  bytes.writeDoubleBE(record.previousRevision, 16);
  bytes.writeUInt8(record.type === 'put' ? 1 : 2, 24);
  bytes.writeUInt16BE(key.length, 25);
  key.copy(bytes, headerBytes);
  record.value.copy(bytes, headerBytes + key.length);
  return bytes;
}

export function decodeRecord(bytes: Buffer): RevisionRecord {
  const keyEnd = headerBytes + bytes.readUInt16BE(25);
  return {
    createRevision: bytes.readDoubleBE(0),
    modRevision: bytes.readDoubleBE(8),
    previousRevision: bytes.readDoubleBE(16),
    type: bytes.readUInt8(24) === 1 ? 'put' : 'delete',
    key: bytes.toString('utf8', headerBytes, keyEnd),
    // A copy: what the database hands out is its own memory.
    value: Buffer.from(bytes.subarray(keyEnd)),
  };
}

/** Single fields, without the cost of the others. */
export const keyOf = (bytes: Buffer): string =>
  bytes.toString('utf8', headerBytes, headerBytes + bytes.readUInt16BE(25));
export const createRevisionOf = (bytes: Buffer): number => bytes.readDoubleBE(0);
export const modRevisionOf = (bytes: Buffer): number => bytes.readDoubleBE(8);
export const previousRevisionOf = (bytes: Buffer): number => bytes.readDoubleBE(16);
export const isDelete = (bytes: Buffer): boolean => bytes.readUInt8(24) === 2;

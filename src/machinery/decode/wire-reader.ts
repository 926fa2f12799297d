/** Reads protobuf's wire format. After `next()` exactly one of the others is called. */
export interface WireReader {
  /** Goes to the next field. @returns false at the end */
  next(): boolean;
  /** Number of the present field. */
  readonly number: number;
  readonly wireType: number;
  atEnd(): boolean;
  /** Signed 64-bit, as a number. */
  varint(): number;
  double(): number;
  /** A length and that many bytes: a string, a message. */
  bytes(): Buffer;
  /** Passes over the value of the present field. */
  skip(): void;
}

/** @throws SyntaxError where the bytes end too soon */
export function createReader(buffer: Buffer): WireReader {
  let at = 0;
  let number = 0;
  let wireType = 0;
  const take = (count: number): number => {
    const start = at;
    at += count;
    if (at > buffer.length) throw new SyntaxError('unexpected EOF');
    return start;
  };
  /** Nearly all are of one byte or two; a bigint is made of those that a number may not hold. */
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = buffer[take(1)] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return longVarint(value);
  };
  const longVarint = (low: number): number => {
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = buffer[take(1)] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw new SyntaxError('proto: integer overflow');
  };
  const bytes = (): Buffer => {
    const length = varint();
    if (length < 0) throw new SyntaxError('proto: negative length found during unmarshaling');
    const start = take(length);
    return buffer.subarray(start, start + length);
  };
  return {
    next() {
      if (at >= buffer.length) return false;
      const key = varint();
      number = key >>> 3;
      wireType = key & 7;
      return true;
    },
    get number() {
      return number;
    },
    get wireType() {
      return wireType;
    },
    atEnd: () => at >= buffer.length,
    varint,
    double: () => buffer.readDoubleLE(take(8)),
    bytes,
    skip() {
      if (wireType === 0) varint();
      else if (wireType === 1) take(8);
      else if (wireType === 2) bytes();
      else if (wireType === 5) take(4);
      else throw new SyntaxError(`proto: illegal wireType ${wireType}`);
    },
  };
}

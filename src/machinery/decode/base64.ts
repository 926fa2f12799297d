/** Where base64 breaks Go's rule (StdEncoding: padded, line breaks allowed): its CorruptInputError. */
export class Base64Error extends Error {
  constructor(at: number) {
    super(`illegal base64 data at input byte ${at}`);
    this.name = 'Base64Error';
  }
}

const wellFormed = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Base64 as Go reads it and writes it again: without line breaks, bits that encode nothing zero.
 * @throws Base64Error with Go's position
 */
export function normalBase64(text: string): string {
  if (text.length % 4 === 0 && wellFormed.test(text)) return canonicalEnd(text);
  checkQuanta(Buffer.from(text));
  return canonicalEnd(text.replaceAll(/[\r\n]/g, ''));
}

/** Only the last quantum can hold bits that encode nothing. */
const canonicalEnd = (text: string): string =>
  text.endsWith('=')
    ? text.slice(0, -4) + Buffer.from(text.slice(-4), 'base64').toString('base64')
    : text;

const padding = 0x3d;
const isBreak = (byte: number | undefined): boolean => byte === 0x0a || byte === 0x0d;
const isDigit = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  (byte >= 0x61 && byte <= 0x7a) ||
  byte === 0x2b ||
  byte === 0x2f;

/** Reads quantum by quantum, as encoding/base64 does: its positions follow from that. */
function checkQuanta(bytes: Buffer): void {
  let at = 0;
  let inQuantum = 0;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    at += 1;
    if (isDigit(byte)) inQuantum = (inQuantum + 1) % 4;
    else if (!isBreak(byte)) {
      if (byte !== padding || inQuantum < 2) throw new Base64Error(at - 1);
      checkPadding(bytes, at, inQuantum);
      return;
    }
  }
  if (inQuantum > 0) throw new Base64Error(at - inQuantum);
}

/** @param at behind the first `=` */
function checkPadding(bytes: Buffer, at: number, inQuantum: number): void {
  let next = at;
  const skipBreaks = (): void => {
    while (isBreak(bytes[next])) next += 1;
  };
  if (inQuantum === 2) {
    skipBreaks();
    if (next === bytes.length) throw new Base64Error(next);
    if (bytes[next] !== padding) throw new Base64Error(next - 1);
    next += 1;
  }
  skipBreaks();
  if (next < bytes.length) throw new Base64Error(next);
}

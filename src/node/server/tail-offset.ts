import type { FileHandle } from 'node:fs/promises';

const blockBytes = 64 * 1024;
const newline = 10;

/** Where the last `lines` whole lines of a log begin, found from its end. */
export async function tailOffset(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines <= 0) return size;
  let seen = 0;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - blockBytes);
    const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let at = buffer.length - 1; at >= 0; at -= 1) {
      // The newline that ends the file begins no line.
      if (buffer[at] !== newline || start + at === size - 1) continue;
      seen += 1;
      if (seen === lines) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

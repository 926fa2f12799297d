/** A length-delimited field of protobuf's wire format. */
export function bytesField(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

export const stringField = (number: number, text: string): Buffer =>
  bytesField(number, Buffer.from(text));

export const messageField = (number: number, fields: readonly Buffer[]): Buffer =>
  bytesField(number, Buffer.concat(fields));

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

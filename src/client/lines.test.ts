import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { lines } from './lines.ts';

const read = async (...chunks: Buffer[]): Promise<string[]> => {
  const found: string[] = [];
  for await (const line of lines(Readable.from(chunks))) found.push(line);
  return found;
};

test('lines() does not mind how a stream is cut', async () => {
  const text = Buffer.from('{"a":"ä€"}\n\n{"b":2}\n{"never":"ended"');
  const whole = ['{"a":"ä€"}', '', '{"b":2}'];
  expect(await read(text)).toEqual(whole);
  expect(await read(...[...text].map(byte => Buffer.from([byte])))).toEqual(whole);
  for (let at = 0; at <= text.length; at += 1) {
    expect(await read(text.subarray(0, at), text.subarray(at))).toEqual(whole);
  }
});

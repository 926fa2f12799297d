import { expect, test } from 'vitest';
import { jsonPatch, mergePatch, parsePatch, strategicMergePatch } from './patch-body.ts';

const goMap = 'map[string]interface {}';

test.each([
  [mergePatch, '{"data":{"k":"hunter2', 'error decoding patch: unexpected end of JSON input'],
  [
    mergePatch,
    '{hunter2}',
    "error decoding patch: invalid character 'h' looking for beginning of object key string",
  ],
  [
    mergePatch,
    '["hunter2"]',
    `error decoding patch: json: cannot unmarshal array into Go value of type ${goMap}`,
  ],
  [mergePatch, 'null', 'Invalid JSON Patch'],
  [
    strategicMergePatch,
    '"hunter2"',
    `json: cannot unmarshal string into Go value of type ${goMap}`,
  ],
  [strategicMergePatch, '', 'unexpected end of JSON input'],
  [
    jsonPatch,
    '{}',
    'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
  ],
  [
    jsonPatch,
    '["hunter2"]',
    'error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp',
  ],
  [
    mergePatch,
    `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    'error decoding patch: exceeded max depth',
  ],
])('parsePatch() of %s refuses %j', (type, body, message) => {
  expect(() => parsePatch(Buffer.from(body), type, 'Warn')).toThrow(
    expect.objectContaining({ message, code: 400 }),
  );
});

test('parsePatch() takes ten thousand operations and no more', () => {
  const operations = (count: number): Buffer =>
    Buffer.from(JSON.stringify(Array.from({ length: count }, () => ({ op: 'test', path: '/a' }))));
  expect(parsePatch(operations(10_000), jsonPatch, 'Warn').value).toHaveLength(10_000);
  expect(() => parsePatch(operations(10_001), jsonPatch, 'Warn')).toThrow(
    expect.objectContaining({
      code: 413,
      message:
        'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
    }),
  );
});

test('parsePatch() tells what stands twice', () => {
  const complaints = (type: string, body: string): readonly string[] =>
    parsePatch(Buffer.from(body), type, 'Warn').complaints;
  expect(complaints(mergePatch, '{"data":{"k":"a","k":"b"}}')).toEqual([
    'duplicate field "data.k"',
  ]);
  expect(complaints(jsonPatch, '[{"op":"add","op":"test","path":"/a"}]')).toEqual([
    'json patch duplicate field "[0].op"',
  ]);
  expect(parsePatch(Buffer.from('{"a":1,"a":2}'), mergePatch, 'Ignore').complaints).toEqual([]);
});

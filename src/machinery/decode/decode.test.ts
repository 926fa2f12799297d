import { describe, expect, test } from 'vitest';
import { PodSchema } from '../../api/core/v1/pod/pod-schema.ts';
import { NodeSchema } from '../../api/core/v1/node.ts';
import { SecretSchema } from '../../api/core/v1/secret.ts';
import { LeaseSchema } from '../../api/coordination.k8s.io/v1/lease.ts';
import { duplicateFields } from './duplicate-fields.ts';
import { parseJson } from './json.ts';
import { decodeMessage, openEnvelope } from './protobuf.ts';
import { checkStructure } from './structure.ts';
import { parseYaml } from './yaml.ts';

const pod = { apiVersion: 'v1', kind: 'Pod' };
const secret = { apiVersion: 'v1', kind: 'Secret' };

describe('checkStructure()', () => {
  test('drops unknown fields and nulls, and tells the paths of the unknown', () => {
    const { value, unknownFields } = checkStructure(PodSchema, {
      ...pod,
      metadata: { name: 'p', labels: null },
      spec: { containers: [{ name: 'a', imag: 'x' }], fooBar: 1 },
    });
    expect(value).toEqual({
      ...pod,
      metadata: { name: 'p' },
      spec: { containers: [{ name: 'a' }] },
    });
    expect(unknownFields).toEqual(['spec.containers[0].imag', 'spec.fooBar']);
  });

  test.each([
    [
      SecretSchema,
      { data: 'x' },
      'json: cannot unmarshal string into Go struct field Secret.data of type map[string][]uint8',
    ],
    [
      SecretSchema,
      { data: { a: 1 } },
      'json: cannot unmarshal number into Go struct field Secret.data of type []uint8',
    ],
    [
      SecretSchema,
      { immutable: 'yes' },
      'json: cannot unmarshal string into Go struct field Secret.immutable of type bool',
    ],
    [
      PodSchema,
      { spec: { containers: 'x' } },
      'json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      PodSchema,
      { spec: { terminationGracePeriodSeconds: 1.5 } },
      'json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64',
    ],
  ])('words a wrong type as Go does: %#', (schema, value, message) => {
    expect(() => checkStructure(schema, value)).toThrow(message);
  });

  test('illegal base64 is told by its place', () => {
    expect(() => checkStructure(SecretSchema, { data: { k: 'YWJj!' } })).toThrow(
      'illegal base64 data at input byte 4',
    );
  });

  test('what is empty and optional is left out, as Go’s omitempty has it', () => {
    expect(
      checkStructure(PodSchema, {
        ...pod,
        metadata: { name: 'p', labels: {}, finalizers: [] },
        spec: { containers: [], volumes: [{ name: 'v', emptyDir: {} }], securityContext: {} },
      }).value,
    ).toEqual({
      ...pod,
      metadata: { name: 'p' },
      spec: { containers: [], volumes: [{ name: 'v', emptyDir: {} }], securityContext: {} },
    });
  });

  test('keys that are traps are keys as any other', () => {
    const data = '{"__proto__":"eA==","constructor":"eQ==","hasOwnProperty":null}';
    const { value } = checkStructure(SecretSchema, JSON.parse(`{"data":${data}}`));
    expect(JSON.stringify(value['data'])).toBe(data.replace('null', '""'));
  });

  test('a raw value that nothing could write out again is refused', () => {
    const fieldsV1: unknown = JSON.parse('{"a":'.repeat(9000) + '1' + '}'.repeat(9000));
    expect(() =>
      checkStructure(SecretSchema, { metadata: { managedFields: [{ fieldsV1 }] } }),
    ).toThrow('exceeded max depth');
  });

  test('times are brought to their form', () => {
    expect(
      checkStructure(SecretSchema, {
        ...secret,
        metadata: { creationTimestamp: '2026-01-02T03:04:05.678+01:00' },
      }).value,
    ).toEqual({
      ...secret,
      metadata: { creationTimestamp: '2026-01-02T02:04:05Z' },
    });
    expect(
      checkStructure(LeaseSchema, { spec: { renewTime: '2026-01-02T03:04:05.5Z' } }).value,
    ).toMatchObject({
      spec: { renewTime: '2026-01-02T03:04:05.500000Z' },
    });
  });

  test.each(['9999-12-31T23:59:59-14:00', '0000-01-01T00:00:00+14:00'])(
    'the time %s, whose year in UTC has no four digits, is refused',
    time => {
      for (const body of [
        { ...secret, metadata: { creationTimestamp: time } },
        { spec: { renewTime: time } },
      ]) {
        const schema = 'spec' in body ? LeaseSchema : SecretSchema;
        expect(() => checkStructure(schema, body)).toThrow('year outside of range [0,9999]');
      }
    },
  );

  test.each<[string, object]>([
    ['nothing', {}],
    ['null', { spec: null, metadata: null }],
    ['null inside', { spec: { containers: null } }],
  ])('a required field for which the body has %s is empty, as in Go', (_, body) => {
    const { value } = checkStructure(PodSchema, { ...pod, ...body });
    expect(value).toEqual({ ...pod, metadata: {}, spec: { containers: [] } });
  });

  test('the elements of a list have their required fields too', () => {
    const status = { containerStatuses: [null, { name: 'a' }] };
    const empty = { name: '', ready: false, restartCount: 0, image: '', imageID: '' };
    expect(checkStructure(PodSchema, { ...pod, status }).value).toMatchObject({
      status: { containerStatuses: [empty, { ...empty, name: 'a' }] },
    });
  });
});

test.each([
  ['{"a":1,"b":2}', []],
  ['{"a":1,"a":2}', ['a']],
  ['{"spec":{"list":[{"x":1},{"y":1,"y":2}]}}', ['spec.list[1].y']],
  ['{"a":"\\"a\\":1","b":{"a":1}}', []],
  ['{"a":1,"a":2,"b" :3}', ['a']],
  ['{"a":1,"a":"x\\":"}', ['a']],
  ['{"a":{"a":1},"b":[{"a":1},{"a":1}]}', []],
  ['{"a\\\\":1,"a\\\\":2}', ['a\\']],
  [`{"a":1,"a":${'['.repeat(20000)}${']'.repeat(20000)}}`, ['a']],
])('duplicateFields(%.40s)', (text, found) => {
  expect(duplicateFields(text, JSON.parse(text))).toEqual(found);
});

test('duplicateFields() reports each path once, the first hundred, and cuts what is too long', () => {
  const inList = `[${'{"b":1,"b":2,"b":3},'.repeat(500)}1]`;
  const paths = duplicateFields(inList, JSON.parse(inList));
  expect(paths).toHaveLength(100);
  expect(paths.slice(0, 2)).toEqual(['[0].b', '[1].b']);
  const long = `{"${'k'.repeat(5000)}":{"a":1,"a":2}}`;
  expect(duplicateFields(long, JSON.parse(long))).toEqual([`${'k'.repeat(512)}…`]);
});

test.each([
  [{ allocatable: { cpu: '1 core' } }, 'quantities must match the regular expression'],
  [{ allocatable: { cpu: '1e99999999999999999999' } }, "unable to parse quantity's suffix"],
  [{ allocatable: { cpu: Infinity } }, 'quantities must match the regular expression'],
  [
    { images: [{ sizeBytes: 1e300 }] },
    'json: cannot unmarshal number 1e+300 into Go struct field ContainerImage.status.images.sizeBytes of type int64',
  ],
])('checkStructure() refuses the numbers of %j', (status, message) => {
  expect(() => checkStructure(NodeSchema, { status })).toThrow(message);
});

test('parseJson() refuses what is nested too deeply, and brackets in texts are not nesting', () => {
  const parse = (json: string): unknown => parseJson(Buffer.from(json), json);
  expect(() => parse('['.repeat(1_500_000))).toThrow('exceeded max depth');
  expect(() => parse('{"a":'.repeat(10_001))).toThrow('exceeded max depth');
  expect(() => parse('['.repeat(10_000))).toThrow('unexpected end of JSON input');
  const text = `\\"${'[{'.repeat(20_000)}`;
  expect(parse(JSON.stringify([text]))).toEqual([text]);
});

describe('parseYaml()', () => {
  const valuesOf = (text: string): unknown[] => parseYaml(text).map(each => each.value);
  test.each([
    ['0400', 256],
    ['0o400', 256],
    ['256', 256],
    ['0x100', 256],
    ['0b11', 3],
    ['-010', -8],
    ['0', 0],
    ['1_000', 1000],
    ['yes', true],
    ['off', false],
    ['"0400"', '0400'],
    ['1.50', 1.5],
    ['null', null],
    ['text', 'text'],
  ])('%s is %j', (text, value) => {
    expect(valuesOf(`mode: ${text}`)).toEqual([{ mode: value }]);
  });

  test.each(['[', '{a: ', '- ', '? ', 'a: '])('refuses %j that is nested too deeply', opening => {
    expect(() => parseYaml(opening.repeat(8000))).toThrow(/exceeded max depth|line 1: /);
    expect(() => parseYaml(`a: [${opening.repeat(8000)}`)).toThrow(SyntaxError);
  });

  test('of very many keys that stand twice the first hundred are told', () => {
    const [document] = parseYaml('a: 1\n'.repeat(500));
    expect(document?.duplicateKeys).toHaveLength(100);
  });

  test('reads every document of a stream and leaves out the empty', () => {
    expect(valuesOf('a: 1\n---\n---\nb: 2\n')).toEqual([{ a: 1 }, { b: 2 }]);
  });

  test('the last of a key’s values counts, and that it stands twice is told', () => {
    expect(parseYaml('a: 1\nb:\n  c: 1\n  c: 2\na: 3\n')).toEqual([
      {
        value: { a: 3, b: { c: 2 } },
        duplicateKeys: ['line 5: key "a" already set in map', 'line 4: key "c" already set in map'],
      },
    ]);
  });

  test.each([
    ['a: {b: hunter2\nd: 1\n', "line 2: did not find expected ',' or '}'"],
    ['a:\n\tb: hunter2\n', 'line 2: found character that cannot start any token'],
    ['a: b: hunter2\n', 'line 1: mapping values are not allowed in this context'],
    ['- a\nhunter2: 1\n', 'line 2: did not find expected key'],
    ['{a: hunter2}}', 'line 1: did not find expected key'],
    ['key: value\nhunter2\n', "line 2: could not find expected ':'"],
    ['a: @hunter2\n', 'line 1: found character that cannot start any token'],
    ['a: *hunter2\n', 'unknown anchor referenced'],
    ['a: &hunter2 [*hunter2]\n', 'exceeded max depth'],
    ['<<: hunter2\n', 'map merge requires map or sequence of maps as the value'],
    [
      'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]',
      'document contains excessive aliasing',
    ],
  ])('refuses %j in words that quote nothing of it', (text, words) => {
    expect(() => parseYaml(text)).toThrow(
      expect.objectContaining({ message: `error converting YAML to JSON: yaml: ${words}` }),
    );
  });
});

describe('protobuf', () => {
  const field = (number: number, content: string | Buffer): Buffer => {
    const bytes = Buffer.from(content as string);
    return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
  };
  const entry = (number: number, key: string, value: string | Buffer): Buffer =>
    field(number, Buffer.concat([field(1, key), field(2, value)]));
  // As gogo-proto writes it: what is not set stands there as an empty string.
  const metadata = Buffer.concat([
    field(1, 'mine'),
    field(2, ''),
    field(3, 'ns'),
    field(8, ''),
    entry(11, 'tier', 'db'),
  ]);

  test('a Secret is read as a JSON client would have sent it', () => {
    const message = Buffer.concat([
      field(1, metadata),
      entry(2, 'k', Buffer.from([0, 255])),
      field(3, ''),
      entry(4, 's', 'text'),
      Buffer.from([5 * 8, 1]),
    ]);
    expect(decodeMessage(SecretSchema, message)).toEqual({
      metadata: { name: 'mine', namespace: 'ns', labels: { tier: 'db' } },
      data: { k: 'AP8=' },
      stringData: { s: 'text' },
      immutable: true,
    });
  });

  test('a key that is a trap is a key as any other', () => {
    const message = entry(2, '__proto__', 'x');
    expect(JSON.stringify(decodeMessage(SecretSchema, message))).toBe(
      '{"data":{"__proto__":"eA=="}}',
    );
  });

  test('embedded messages are inlined: a volume’s source', () => {
    const volume = Buffer.concat([field(1, 'v'), field(2, field(6, field(1, 'mysecret')))]);
    const message = field(2, field(1, volume));
    expect(decodeMessage(PodSchema, message)).toEqual({
      spec: { volumes: [{ name: 'v', secret: { secretName: 'mysecret' } }] },
    });
  });

  test('the envelope tells version and kind; anything else is refused', () => {
    const type = Buffer.concat([field(1, 'v1'), field(2, 'Secret')]);
    const body = Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, 'raw')]);
    expect(openEnvelope(body)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      raw: Buffer.from('raw'),
    });
    expect(() => openEnvelope(Buffer.from('{"a":1}'))).toThrow(
      'does not appear to be a protobuf message',
    );
    expect(() => openEnvelope(body.subarray(0, 12))).toThrow('unexpected EOF');
  });
});

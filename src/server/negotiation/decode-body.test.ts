import { describe, expect, test } from 'vitest';
import { SecretSchema } from '../../api/core/v1/secret.ts';
import { decodeBody, type BodyOptions } from './decode-body.ts';

const expected = { apiVersion: 'v1', kind: 'Secret', schema: SecretSchema };
const decode = (
  body: string | Buffer,
  options: Partial<BodyOptions> = {},
): Promise<Record<string, unknown>> =>
  decodeBody(Buffer.from(body as string), expected, {
    contentType: 'application/json',
    fieldValidation: 'Warn',
    warnings: [],
    client: { key: 'user a', group: 'user a', isExempt: false },
    ...options,
  });
const yaml = { contentType: 'application/yaml; charset=utf-8' };
const handled = 'Secret in version "v1" cannot be handled as a Secret: ';
const unrecognized = 'the object provided is unrecognized (must be of type Secret): ';
const typeMeta = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

describe('decodeBody()', () => {
  test.each([
    [
      '',
      `${unrecognized}couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)`,
    ],
    [
      '{"data":{"k":"hunter2',
      `${unrecognized}couldn't get version/kind; json parse error: unexpected end of JSON input`,
    ],
    [
      'hunter2',
      `${unrecognized}couldn't get version/kind; json parse error: invalid character 'h' looking for beginning of value`,
    ],
    [
      '["hunter2"]',
      `${unrecognized}couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of type ${typeMeta}`,
    ],
    [
      '{"kind":5}',
      `${unrecognized}couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string`,
    ],
    [
      '{"kind":"Pod","apiVersion":"v1"}',
      'Pod in version "v1" cannot be handled as a Secret: converting (v1.Pod) to (core.Secret): unknown conversion',
    ],
    [
      '{"kind":"Lease","apiVersion":"coordination.k8s.io/v1"}',
      'Lease in version "v1" cannot be handled as a Secret: converting (v1.Lease) to (core.Secret): unknown conversion',
    ],
    [
      '{"kind":"Secrets"}',
      'Secrets in version "v1" cannot be handled as a Secret: no kind "Secrets" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    [
      '{"apiVersion":"v2"}',
      'Secret in version "v2" cannot be handled as a Secret: no kind "Secret" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ],
    ['{"data":{"k":"hunter2!"}}', `${handled}illegal base64 data at input byte 7`],
    [
      '{"stringData":{"k":1}}',
      `${handled}json: cannot unmarshal number into Go struct field Secret.stringData of type string`,
    ],
    [
      '{"metadata":"hunter2"}',
      `${handled}json: cannot unmarshal string into Go struct field Secret.metadata of type v1.ObjectMeta`,
    ],
    [
      '{"metadata":{"labels":{"a":true}}}',
      `${handled}json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string`,
    ],
  ])('%j → 400', async (body, message) => {
    await expect(decode(body)).rejects.toThrow(expect.objectContaining({ message, code: 400 }));
  });

  test('null is an object of which nothing is said', async () => {
    expect(await decode('null')).toEqual({ apiVersion: 'v1', kind: 'Secret', metadata: {} });
  });

  test('unknown and repeated fields are refused, warned of, or passed over', async () => {
    const body = '{"dada":1,"data":{"k":"YQ==","k":"Yg=="}}';
    const complaints = ['unknown field "dada"', 'duplicate field "data.k"'];
    await expect(decode(body, { fieldValidation: 'Strict' })).rejects.toThrow(
      `${handled}strict decoding error: ${complaints.join(', ')}`,
    );
    const warnings: string[] = [];
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: {}, data: { k: 'Yg==' } };
    expect(await decode(body, { warnings })).toEqual(secret);
    expect(warnings).toEqual(complaints);
    expect(await decode(body, { fieldValidation: 'Ignore', warnings })).toEqual(secret);
    expect(warnings).toEqual(complaints);
  });

  test('of very many unknown fields a hundred are told', async () => {
    const body = JSON.stringify(
      Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`f${i}`, 1])),
    );
    const warnings: string[] = [];
    await decode(body, { warnings });
    expect(warnings).toHaveLength(100);
  });

  test('YAML is read as JSON is, and what stands twice in it is told', async () => {
    const body = 'kind: Secret\nstringData:\n  k: a\n  k: b\ndada: 1\n';
    const warnings: string[] = [];
    expect(await decode(body, { ...yaml, warnings })).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {},
      stringData: { k: 'b' },
    });
    expect(warnings).toEqual(['line 4: key "k" already set in map', 'unknown field "dada"']);
    await expect(decode(body, { ...yaml, fieldValidation: 'Strict' })).rejects.toThrow(
      `${handled}strict decoding error: yaml: unmarshal errors:\n  line 4: key "k" already set in map, unknown field "dada"`,
    );
    await expect(decode('a: b: hunter2', yaml)).rejects.toThrow(
      `${unrecognized}error converting YAML to JSON: yaml: line 1: mapping values are not allowed in this context`,
    );
  });

  test('protobuf: what is none, and what is cut short', async () => {
    const protobuf = { contentType: 'application/vnd.kubernetes.protobuf' };
    await expect(decode('{}', protobuf)).rejects.toThrow(
      `${unrecognized}provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]`,
    );
    const envelope = Buffer.concat([
      Buffer.from('k8s\0'),
      Buffer.from([0x0a, 12, 0x0a, 2, ...Buffer.from('v1'), 0x12, 6, ...Buffer.from('Secret')]),
      Buffer.from([0x12, 2, 0x12, 9]),
    ]);
    await expect(decode(envelope, protobuf)).rejects.toThrow(`${handled}unexpected EOF`);
  });

  test('any other type of body → 415', async () => {
    await expect(decode('{}', { contentType: 'text/plain' })).rejects.toThrow(
      expect.objectContaining({
        code: 415,
        message:
          'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      }),
    );
  });
});

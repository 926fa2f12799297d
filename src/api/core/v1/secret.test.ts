import { describe, expect, test } from 'vitest';
import { secretResource, type Secret } from './secret.ts';

const secret = (more: Partial<Secret>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'n' },
  ...more,
});
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const errorsOf = (object: Secret): string[] =>
  (secretResource.validate?.(object) ?? []).map(each => `${each.field}: ${each.message}`);
const updateErrors = (next: Secret, old: Secret): string[] =>
  (secretResource.update?.validateUpdate(next, old) ?? []).map(
    each => `${each.field}: ${each.message}`,
  );

describe('secretResource.validate()', () => {
  test.each([
    { title: 'Opaque needs nothing', object: secret({ type: 'Opaque' }), errors: [] },
    {
      title: 'any other type is a custom one',
      object: secret({ type: 'example.com/mine' }),
      errors: [],
    },
    {
      title: 'dockerconfigjson must be there',
      object: secret({ type: 'kubernetes.io/dockerconfigjson' }),
      errors: ['data[.dockerconfigjson]: Required value'],
    },
    {
      title: 'dockercfg must be there',
      object: secret({ type: 'kubernetes.io/dockercfg', data: {} }),
      errors: ['data[.dockercfg]: Required value'],
    },
    {
      title: 'basic-auth wants a user name or a password',
      object: secret({ type: 'kubernetes.io/basic-auth' }),
      errors: ['data[username]: Required value', 'data[password]: Required value'],
    },
    {
      title: 'one of them is enough, even empty',
      object: secret({ type: 'kubernetes.io/basic-auth', data: { password: '' } }),
      errors: [],
    },
    {
      title: 'ssh-auth wants a key that is not empty',
      object: secret({ type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } }),
      errors: ['data[ssh-privatekey]: Required value'],
    },
    {
      title: 'tls wants both',
      object: secret({ type: 'kubernetes.io/tls', data: { 'tls.crt': '' } }),
      errors: ['data[tls.key]: Required value'],
    },
    {
      title: 'a token names its account',
      object: secret({ type: 'kubernetes.io/service-account-token' }),
      errors: ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
    },
    {
      title: 'exactly 1 MiB fits',
      object: secret({ data: { a: Buffer.alloc(1024 * 1024).toString('base64') } }),
      errors: [],
    },
    {
      title: 'a byte more does not',
      object: secret({ data: { a: Buffer.alloc(1024 * 1024).toString('base64'), b: b64('x') } }),
      errors: ['data: Too long: must have at most 1048576 bytes'],
    },
  ])('$title', ({ object, errors }) => {
    expect(errorsOf(object)).toEqual(errors);
  });

  test.each([
    ['', 'unexpected end of JSON input'],
    ['{"auths":', 'unexpected end of JSON input'],
    ['hunter2{', "invalid character 'h' looking for beginning of value"],
    ['{"auths":{}} hunter2', "invalid character 'h' after top-level value"],
    ['{auths:hunter2}', "invalid character 'a' looking for beginning of object key string"],
    ['["hunter2"]', 'json: cannot unmarshal array into Go value of type map[string]interface {}'],
    ['"hunter2"', 'json: cannot unmarshal string into Go value of type map[string]interface {}'],
    ['5', 'json: cannot unmarshal number into Go value of type map[string]interface {}'],
    ['true', 'json: cannot unmarshal bool into Go value of type map[string]interface {}'],
  ])('the Docker configuration %j is refused without being shown', (text, words) => {
    for (const [type, key] of [
      ['kubernetes.io/dockerconfigjson', '.dockerconfigjson'],
      ['kubernetes.io/dockercfg', '.dockercfg'],
    ] as const) {
      expect(errorsOf(secret({ type, data: { [key]: b64(text) } }))).toEqual([
        `data[${key}]: Invalid value: "<secret contents redacted>": ${words}`,
      ]);
    }
  });

  test.each(['null', '{}', ' {"auths":{}}\n'])('the Docker configuration %j is one', text => {
    const data = { '.dockerconfigjson': b64(text) };
    expect(errorsOf(secret({ type: 'kubernetes.io/dockerconfigjson', data }))).toEqual([]);
  });
});

describe('secretResource.applyDefaults()', () => {
  test('stringData goes into data, over it, and is not kept', () => {
    const object = secret({ data: { a: b64('old'), b: b64('kept') }, stringData: { a: 'new' } });
    secretResource.applyDefaults?.(object);
    expect(object.data).toEqual({ a: b64('new'), b: b64('kept') });
    expect(object).not.toHaveProperty('stringData');
  });
});

test('secretResource.applyDefaults() takes keys that are traps, and makes no data of nothing', () => {
  const object = secret({ stringData: JSON.parse('{"__proto__":"x"}') as Record<string, string> });
  secretResource.applyDefaults?.(object);
  expect(JSON.stringify(object.data)).toBe('{"__proto__":"eA=="}');
  const bare = secret({});
  secretResource.applyDefaults?.(bare);
  expect(bare).not.toHaveProperty('data');
});

describe('secretResource.update', () => {
  const because = 'Forbidden: field is immutable when `immutable` is set';
  const locked = secret({ type: 'Opaque', immutable: true, data: { a: b64('1') } });
  test.each([
    {
      title: 'an immutable one keeps its data',
      next: { ...locked, data: { a: b64('2') } },
      errors: [`data: ${because}`],
    },
    {
      title: 'and stays immutable',
      next: { ...locked, immutable: false },
      errors: [`immutable: ${because}`],
    },
    {
      title: 'metadata may change',
      next: { ...locked, metadata: { name: 's', labels: { x: 'y' } } },
      errors: [],
    },
    {
      title: 'a type is for ever',
      next: { ...locked, type: 'x/y' },
      errors: ['type: Invalid value: "x/y": field is immutable'],
    },
  ])('$title', ({ next, errors }) => {
    expect(updateErrors(next, locked)).toEqual(errors);
  });

  test('an empty type is taken from the stored one', () => {
    const next = secret({});
    secretResource.update?.prepareForUpdate(next, secret({ type: 'x/y' }), {
      now: '',
      randomSuffix: () => '',
    });
    expect(next.type).toBe('x/y');
  });
});

describe('keylet.dev/apply', () => {
  const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
  const applied = (content: object, more: Partial<Secret>, wish?: string): Secret =>
    secret({
      ...more,
      metadata: {
        name: 's',
        annotations: {
          ...(wish === undefined ? {} : { 'keylet.dev/apply': wish }),
          [lastApplied]: `${JSON.stringify({ kind: 'Secret', ...content })}\n`,
        },
      },
    });
  const data = { plain: b64('1'), gone: b64('2'), moved: b64('3'), foreign: b64('4') };
  const old = applied({ stringData: { gone: '2', moved: '3', plain: '1' } }, { data }, 'tidy');
  const content = { stringData: { plain: 'hunter2' }, data: { moved: b64('hunter2') } };
  const update = (next: Secret): Secret => {
    secretResource.update?.prepareForUpdate(next, old, { now: '', randomSuffix: () => '' });
    return next;
  };

  test('tidy: keys that left stringData leave data, and values are not kept beside it', () => {
    const next = update(applied(content, { data: { ...data } }, 'tidy'));
    expect(Object.keys(next.data ?? {})).toEqual(['plain', 'moved', 'foreign']);
    expect(next.metadata.annotations?.[lastApplied]).toBe(
      '{"kind":"Secret","stringData":{"plain":""},"data":{"moved":""}}\n',
    );
  });

  test('tidy: a new one keeps no values beside its data either', () => {
    const next = applied(content, {}, 'tidy');
    secretResource.prepareForCreate?.(next, { now: '', randomSuffix: () => '' });
    expect(next.metadata.annotations?.[lastApplied]).not.toContain('hunter2');
  });

  test('without the wish all is as Kubernetes has it', () => {
    const next = applied(content, { data: { ...data } });
    const before = structuredClone(next);
    expect(update(next)).toEqual({ ...before, type: undefined });
  });

  test('what no kubectl wrote is left alone', () => {
    const next = applied({}, { data: { ...data } }, 'tidy');
    next.metadata.annotations = { ...next.metadata.annotations, [lastApplied]: 'no JSON' };
    expect(update(next).metadata.annotations?.[lastApplied]).toBe('no JSON');
  });
});

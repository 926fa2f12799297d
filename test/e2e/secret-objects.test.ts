import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { secretResource } from '../../src/api/core/v1/secret.ts';
import { createClient } from '../../src/client/http-client.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import { eventually } from '../support/eventually.ts';
import type { Result } from '../support/run.ts';
import { mustRun } from '../support/run.ts';
import { rawApi, type RawAnswer, type RawRequest } from '../support/raw-api.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();
let namespace: string;
let secrets: string;
let send: (ask: RawRequest) => Promise<RawAnswer>;
beforeAll(async () => {
  namespace = await freshNamespace(kubectl, 'secret-objects');
  secrets = `/api/v1/namespaces/${namespace}/secrets`;
  send = await rawApi(kubectl.kubeconfig);
  return () => kubectl(`delete namespace ${namespace} --wait=false`);
});
const n = (line: string, more: readonly string[] = [], input = ''): Promise<string> =>
  kubectl(`-n ${namespace} ${line}`, more, { input });
const tried = (line: string, more: readonly string[] = [], input = ''): Promise<Result> =>
  kubectl.try(`-n ${namespace} ${line}`, more, { input });
const post = (body: object, query = ''): Promise<RawAnswer> =>
  send({ path: `${secrets}${query}`, body: JSON.stringify(body) });
const put = (name: string, body: object): Promise<RawAnswer> =>
  send({ method: 'PUT', path: `${secrets}/${name}`, body: JSON.stringify(body) });
const patch = (
  name: string,
  body: unknown,
  type: 'json-patch' | 'merge-patch' | 'strategic-merge-patch' = 'merge-patch',
  query = '',
): Promise<RawAnswer> =>
  send({
    method: 'PATCH',
    path: `${secrets}/${name}${query}`,
    body: JSON.stringify(body),
    contentType: `application/${type}+json`,
  });
const get = (name: string): Promise<RawAnswer> =>
  send({ method: 'GET', path: `${secrets}/${name}` });
const named = (name: string, more: object = {}): object => ({ metadata: { name }, ...more });

describe('what a Secret may hold', () => {
  test('any key that is one, empty values, nulls; base64 comes back in its one form', async () => {
    const { code } = await send({
      path: secrets,
      body: '{"metadata":{"name":"keys"},"data":{"__proto__":"eA==","constructor":"eQ==",".hidden":null,"A-b_c.1":"Zh==","lines":"Y\\nQ=\\r\\n="},"stringData":{"n":null}}',
    });
    expect(code).toBe(201);
    const { text } = await get('keys');
    for (const part of [
      '"__proto__":"eA=="',
      '"constructor":"eQ=="',
      '".hidden":""',
      '"A-b_c.1":"Zg=="',
      '"lines":"YQ=="',
      '"n":""',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('stringData');
  });

  test('exactly 1 MiB, and not a byte more; a body of 3 MiB, and not a byte more', async () => {
    const whole = 'x'.repeat(1024 * 1024);
    expect((await post(named('mib', { stringData: { a: whole } }))).code).toBe(201);
    const more = await post(named('more', { stringData: { a: whole, b: 'y' } }));
    expect(more).toMatchObject({
      code: 422,
      body: {
        message: 'Secret "more" is invalid: data: Too long: must have at most 1048576 bytes',
      },
    });
    const bodyOf = (bytes: number): string => JSON.stringify(named('body')).padEnd(bytes);
    expect((await send({ path: secrets, body: bodyOf(3 * 1024 * 1024) })).code).toBe(201);
    expect(await send({ path: secrets, body: bodyOf(3 * 1024 * 1024 + 1) })).toMatchObject({
      code: 413,
      body: {
        reason: 'RequestEntityTooLarge',
        message: 'Request entity too large: limit is 3145728',
      },
    });
  });

  test('much YAML keeps nobody else waiting, and is read as little is', async () => {
    const yaml = (name: string, more: string): Promise<RawAnswer> =>
      send({
        path: secrets,
        contentType: 'application/yaml',
        body: `metadata:\n  name: ${name}\ndata:\n  k: aGk=\n${more}`,
      });
    const much = '\n'.repeat(1024 * 1024);
    const answered: string[] = [];
    const [large, small] = await Promise.all([
      yaml('large', much).finally(() => answered.push('large')),
      yaml('small', '').finally(() => answered.push('small')),
    ]);
    expect(answered).toEqual(['small', 'large']);
    expect([large.code, small.code], large.text).toEqual([201, 201]);
    const contentOf = ({ body }: RawAnswer) => [body['data'], Object.keys(Object(body.metadata))];
    expect(contentOf(large)).toEqual(contentOf(small));
    const faults = await Promise.all(['', much].map(more => yaml('bad', `${more}a: b: c\n`)));
    expect(faults.map(({ code }) => code)).toEqual([400, 400]);
    expect(faults[1]?.body.message).toBe(
      faults[0]?.body.message?.replace('line 5', `line ${5 + much.length}`),
    );
  });

  test('bodies that no object could come of are refused in words, never by a failure', async () => {
    const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    const bodies = [
      `{"metadata":{"name":"deep","managedFields":[{"fieldsV1":${deep(9000)}}]}}`,
      deep(20_000),
      '{"metadata":{"name":"cut"},"data":{"k":"hunter2',
      'hunter2',
      '',
    ];
    for (const body of bodies) {
      const { code, text } = await send({ path: secrets, body });
      expect(code).toBe(400);
      expect(text).not.toContain('hunter2');
    }
  });

  test('YAML: octal, duplicates, anchors; the first document counts', async () => {
    const yaml = (body: string, query = ''): Promise<RawAnswer> =>
      send({ path: `${secrets}${query}`, body, contentType: 'application/yaml' });
    const twice =
      'metadata: {name: yaml}\nstringData:\n  a: &x one\n  b: *x\n  a: two\n---\nnot: read\n';
    const strict = await yaml(twice, '?fieldValidation=Strict');
    expect(strict.body.message).toBe(
      'Secret in version "v1" cannot be handled as a Secret: strict decoding error: yaml: unmarshal errors:\n  line 5: key "a" already set in map',
    );
    const warned = await yaml(twice);
    expect(warned.warnings).toEqual(['line 5: key "a" already set in map']);
    expect(warned.body).toMatchObject({ data: { a: 'dHdv', b: 'b25l' } });
    for (const octal of ['0400', '0o400', '256']) {
      const { body } = await send({
        path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`,
        contentType: 'application/yaml',
        body: `metadata: {name: p}\nspec:\n  containers: [{name: c, image: i}]\n  volumes: [{name: v, secret: {secretName: s, defaultMode: ${octal}}}]\n`,
      });
      expect(body.spec).toMatchObject({ volumes: [{ secret: { defaultMode: 256 } }, {}] });
    }
  });

  test('a field that no Secret has, in any alphabet, is told in a header', async () => {
    const { code, warnings } = await post(named('odd', { 'dätä€"\n': 1 }), '?fieldValidation=Warn');
    expect(code).toBe(201);
    expect(warnings).toEqual(['unknown field "dätä€\\"\\n"']);
  });
});

describe('types', () => {
  test.each([
    [
      'kubernetes.io/basic-auth',
      '[data[username]: Required value, data[password]: Required value]',
    ],
    ['kubernetes.io/ssh-auth', 'data[ssh-privatekey]: Required value'],
    ['kubernetes.io/tls', '[data[tls.crt]: Required value, data[tls.key]: Required value]'],
    ['kubernetes.io/dockercfg', 'data[.dockercfg]: Required value'],
    ['kubernetes.io/dockerconfigjson', 'data[.dockerconfigjson]: Required value'],
    [
      'kubernetes.io/service-account-token',
      'metadata.annotations[kubernetes.io/service-account.name]: Required value',
    ],
  ])('%s misses what it must hold', async (type, words) => {
    const { stderr } = await tried(`create secret generic typed --type=${type}`);
    expect(stderr).toBe(`error: failed to create secret Secret "typed" is invalid: ${words}\n`);
  });

  test('a type stays: another is refused, none keeps it', async () => {
    await post(named('typed', { type: 'example.com/mine' }));
    expect((await put('typed', named('typed', { type: 'example.com/other' }))).body.message).toBe(
      'Secret "typed" is invalid: type: Invalid value: "example.com/other": field is immutable',
    );
    expect((await put('typed', named('typed'))).body).toMatchObject({ type: 'example.com/mine' });
  });

  test('create secret tls and docker-registry, in all that they check', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'keylet-tls-'));
    const file = (name: string): string => path.join(folder, name);
    try {
      const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x';
      await mustRun('openssl', [
        ...request.split(' '),
        '-keyout',
        file('key'),
        '-out',
        file('crt'),
      ]);
      await mustRun('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', file('other')]);
      expect(
        await n('create secret tls pair', [`--cert=${file('crt')}`, `--key=${file('key')}`]),
      ).toBe('secret/pair created');
      const generic = async (name: string, crt: string, key: string): Promise<Result> =>
        tried(`create secret generic ${name} --type=kubernetes.io/tls`, [
          `--from-file=tls.crt=${crt}`,
          `--from-file=tls.key=${key}`,
        ]);
      expect(await generic('unlike', file('crt'), file('other'))).toEqual({
        code: 0,
        stdout: 'secret/unlike created\n',
        stderr: 'Warning: tls: private key type does not match public key type\n',
      });
      expect((await generic('switched', file('key'), file('crt'))).stderr).toBe(
        'Warning: tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched\n',
      );
      await writeFile(file('bad.json'), 'hunter2{');
      const bad = await tried('create secret docker-registry bad', [
        `--from-file=.dockerconfigjson=${file('bad.json')}`,
      ]);
      expect(bad.stderr).toBe(
        'error: failed to create secret Secret "bad" is invalid: data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character \'h\' looking for beginning of value\n',
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('kubectl create secret generic', () => {
  test('from a folder, files, literals and an environment file', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'keylet-generic-'));
    try {
      await mkdir(path.join(folder, 'below'));
      await writeFile(path.join(folder, 'one'), Buffer.from([0, 255, 10]));
      await symlink('one', path.join(folder, 'link'));
      await n(`create secret generic folder --from-file=${folder}`);
      expect(await n('get secret folder -o jsonpath={.data}')).toBe('{"one":"AP8K"}');
      await n(`create secret generic mixed --type=a/b --from-file=k=${folder}/one`, [
        '--from-literal=l=a=b c',
      ]);
      expect(await n('get secret mixed -o jsonpath={.type}{.data}')).toBe(
        'a/b{"k":"AP8K","l":"YT1iIGM="}',
      );
      await writeFile(path.join(folder, 'vars'), '\ufeffA=1\n# no\n  B= two \n');
      await n(`create secret generic vars --from-env-file=${folder}/vars`);
      expect(await n('get secret vars -o jsonpath={.data}')).toBe('{"A":"MQ==","B":"IHR3byA="}');
      expect(await n('create secret generic hashed --from-literal=a=b --append-hash')).toMatch(
        /^secret\/hashed-[a-z0-9]{10} created$/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('what is wrong with it is told as against a real cluster', async () => {
    expect((await tried('create secret generic Bad_name')).stderr).toMatch(
      /^error: failed to create secret Secret "Bad_name" is invalid: metadata\.name: Invalid value: "Bad_name": a lowercase RFC 1123 subdomain must/,
    );
    expect((await kubectl.try('-n nowhere create secret generic x')).stderr).toBe(
      'error: failed to create secret namespaces "nowhere" not found\n',
    );
  });
});

describe('immutable', () => {
  test('data stays for ever, metadata does not, and it can be deleted', async () => {
    const because = 'Forbidden: field is immutable when `immutable` is set';
    await post(named('locked', { data: { a: 'YQ==' } }));
    await n('patch secret locked', ['-p', '{"immutable":true}']);
    const refusals: [object, string][] = [
      [{ data: { a: 'Yg==' } }, `data: ${because}`],
      [{ data: { a: null } }, `data: ${because}`],
      [{ stringData: { b: 'x' } }, `data: ${because}`],
      [{ immutable: false }, `immutable: ${because}`],
      [{ immutable: null }, `immutable: ${because}`],
    ];
    for (const [change, words] of refusals) {
      expect((await patch('locked', change)).body.message).toBe(
        `Secret "locked" is invalid: ${words}`,
      );
    }
    expect(await n('label secret locked still=free')).toBe('secret/locked labeled');
    expect((await patch('locked', { data: { a: 'YQ==' } })).code).toBe(200);
    expect(await n('delete secret locked')).toBe('secret "locked" deleted');
  });
});

describe('patches', () => {
  test('a key is added and taken out by each of the three', async () => {
    await post(named('patched', { data: { a: 'YQ==', b: 'Yg==', c: 'Yw==' } }));
    await patch('patched', { data: { a: null, d: 'ZA==' } });
    await patch('patched', { data: { b: null, __proto__: undefined } }, 'strategic-merge-patch');
    await patch('patched', [{ op: 'remove', path: '/data/c' }], 'json-patch');
    await patch('patched', [{ op: 'add', path: '/data/__proto__', value: 'eA==' }], 'json-patch');
    expect((await get('patched')).text).toContain('"data":{"d":"ZA==","__proto__":"eA=="}');
  });

  test('what an object is stays', async () => {
    const kept = await get('patched');
    const refused: [unknown, 'json-patch' | 'merge-patch', number, string][] = [
      [
        { kind: 'Pod' },
        'merge-patch',
        422,
        ' "" is invalid: patch: Invalid value: "<patch>": converting (v1.Pod) to (core.Secret): unknown conversion',
      ],
      [
        { kind: null },
        'merge-patch',
        422,
        ` "" is invalid: patch: Invalid value: "<patch>": Object 'Kind' is missing in '<patch>'`,
      ],
      [
        { metadata: null },
        'merge-patch',
        400,
        'the name of the object (patched based on URL) was undeterminable: name must be provided',
      ],
      [
        { metadata: { name: 'other' } },
        'merge-patch',
        400,
        'the name of the object (other) does not match the name on the URL (patched)',
      ],
      [
        { metadata: { namespace: 'other' } },
        'merge-patch',
        400,
        'the namespace of the provided object does not match the namespace sent on the request',
      ],
      [
        { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
        'merge-patch',
        422,
        'Secret "patched" is invalid: metadata.deletionTimestamp: Invalid value: "2026-01-01T00:00:00Z": field is immutable',
      ],
      [
        [{ op: 'replace', path: '', value: {} }],
        'json-patch',
        422,
        ` "" is invalid: patch: Invalid value: "<patch>": Object 'Kind' is missing in '<patch>'`,
      ],
      [
        [{ op: 'replace', path: '/data', value: 'hunter2' }],
        'json-patch',
        422,
        ' "" is invalid: patch: Invalid value: "<patch>": json: cannot unmarshal string into Go struct field Secret.data of type map[string][]uint8',
      ],
    ];
    for (const [body, type, code, message] of refused) {
      expect(await patch('patched', body, type)).toMatchObject({ code, body: { message } });
    }
    expect((await patch('patched', { kind: 'Pod' }, 'strategic-merge-patch')).body.kind).toBe(
      'Secret',
    );
    expect((await get('patched')).text).toBe(kept.text);
  });

  test('an unknown field, as each validation has it', async () => {
    const strict = await tried('patch secret patched', ['--type=merge', '-p', '{"dada":1}']);
    expect(strict.stderr).toContain('Warning: unknown field "dada"');
    expect(
      (await patch('patched', { dada: 1 }, 'merge-patch', '?fieldValidation=Strict')).body.message,
    ).toBe(
      ' "" is invalid: patch: Invalid value: "<patch>": strict decoding error: unknown field "dada"',
    );
    expect(
      (await patch('patched', { dada: 1 }, 'merge-patch', '?fieldValidation=Ignore')).warnings,
    ).toEqual([]);
  });

  test('of a missing one: 404; kubectl says what a patch did not find', async () => {
    expect((await patch('nobody', {})).body.message).toBe('secrets "nobody" not found');
    expect((await put('nobody', named('nobody'))).body.message).toBe('secrets "nobody" not found');
    const { stderr } = await tried('patch secret patched --type=json', [
      '-p',
      '[{"op":"remove","path":"/data/nope"}]',
    ]);
    expect(stderr).toMatch(
      /^The request is invalid: the server rejected our request due to an error in our request/,
    );
  });
});

describe('names, versions and options', () => {
  test('generateName: 58 characters of it, and five more', async () => {
    const generateName = `${'g'.repeat(80)}-`;
    const { code, body } = await post({ metadata: { generateName } });
    expect(code).toBe(201);
    expect(body.metadata).toMatchObject({
      generateName,
      name: expect.stringMatching(/^g{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/) as string,
    });
  });

  test('what is there already, what is stale, what is not meant for a new one', async () => {
    await post(named('one'));
    expect((await post(named('one'))).body).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'secrets "one" already exists',
    });
    expect(
      (await put('one', { metadata: { name: 'one', resourceVersion: '1' } })).body,
    ).toMatchObject({
      code: 409,
      reason: 'Conflict',
    });
    expect((await put('one', named('one', { stringData: { free: 'of versions' } }))).code).toBe(
      200,
    );
    expect((await post({ metadata: { name: 'new', resourceVersion: '1' } })).body.message).toBe(
      'resourceVersion should not be set on objects to be created',
    );
    expect((await put('one', { metadata: {} })).body.message).toBe(
      'the name of the object (one based on URL) was undeterminable: name must be provided',
    );
  });

  test('dry run keeps nothing, and sees what would go wrong', async () => {
    expect((await post(named('dry'), '?dryRun=All')).code).toBe(201);
    expect((await get('dry')).code).toBe(404);
    expect((await post(named('one'), '?dryRun=All')).code).toBe(409);
    expect((await send({ method: 'DELETE', path: `${secrets}/one?dryRun=All` })).code).toBe(200);
    expect((await get('one')).code).toBe(200);
  });

  test.each([
    [
      'POST',
      '?dryRun=some',
      'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["some"]: supported values: "All"',
    ],
    [
      'POST',
      '?fieldValidation=Some',
      'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Some": supported values: "", "Ignore", "Strict", "Warn"',
    ],
    [
      'POST',
      `?fieldManager=${'m'.repeat(129)}`,
      'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: must have at most 128 bytes',
    ],
    [
      'DELETE',
      '/one?propagationPolicy=Some',
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Some": supported values: "Foreground", "Background", "Orphan", "nil"',
    ],
    ['DELETE', '/one?gracePeriodSeconds=soon', 'strconv.ParseInt: parsing "soon": invalid syntax'],
    ['GET', '?limit=few', 'strconv.ParseInt: parsing "few": invalid syntax'],
    ['GET', '?fieldSelector=data.a=b', 'field label not supported: data.a'],
    ['PUT', '', 'the server does not allow this method on the requested resource'],
    ['POST', '/one', 'the server does not allow this method on the requested resource'],
  ])('%s …%s', async (method, query, message) => {
    const { code, body } = await send({ method, path: `${secrets}${query}`, body: '' });
    expect(code).toBeGreaterThanOrEqual(400);
    expect(body.message).toBe(message);
  });

  test('a watch begins with all that is there, however much that is', async () => {
    const own = await freshNamespace(kubectl, 'much');
    const client = createClient(await loadKubeconfig(kubectl.kubeconfig));
    try {
      const mib = Buffer.alloc(1024 * 1024, 7).toString('base64');
      const names = Array.from({ length: 20 }, (_, i) => `mib-${i}`);
      for (const name of names) {
        const body = JSON.stringify(named(name, { data: { mib } }));
        await send({ path: `/api/v1/namespaces/${own}/secrets`, body });
      }
      const seen = new Set<string | undefined>();
      const watch = client.resource(secretResource).watch({ namespace: own, resourceVersion: '' });
      for await (const { object } of watch) {
        seen.add(object.metadata.name);
        if (seen.size === names.length) break;
      }
      expect(seen).toEqual(new Set(names));
    } finally {
      await client.close();
      await kubectl(`delete namespace ${own} --wait=false`);
    }
  });

  test('the longest timeout of a watch is long, not none', async () => {
    await post(named('watched'));
    const query = 'watch=1&timeoutSeconds=9999999999&fieldSelector=metadata.name%3Dwatched';
    const { body } = await send({ method: 'GET', path: `${secrets}?${query}`, firstLine: true });
    expect(body).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'watched' } } });
  });

  test.each([
    ['curl/8.5', '', true],
    ['curl/8.5', '?pretty=false', false],
    ['kubectl/v1.32', '', false],
    ['kubectl/v1.32', '?pretty=1', true],
  ])('%s and %j: JSON to read: %s', async (userAgent, query, readable) => {
    for (const name of ['watched', 'none']) {
      const { text } = await send({ method: 'GET', path: `${secrets}/${name}${query}`, userAgent });
      expect(text.startsWith('{\n  "kind": ')).toBe(readable);
    }
  });

  test('nobody deletes the secrets of all namespaces at once', async () => {
    expect((await send({ method: 'DELETE', path: '/api/v1/secrets' })).code).toBe(405);
  });
});

describe('deletion', () => {
  const remove = (name: string, body?: object): Promise<RawAnswer> =>
    send({
      method: 'DELETE',
      path: `${secrets}/${name}`,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  test('preconditions', async () => {
    await post(named('guarded'));
    const { uid = '', resourceVersion = '' } = (await get('guarded')).body.metadata as {
      uid?: string;
      resourceVersion?: string;
    };
    expect((await remove('guarded', { preconditions: { uid: 'other' } })).body.message).toBe(
      `Operation cannot be fulfilled on Secret "guarded": the UID in the precondition (other) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
    expect((await remove('guarded', { preconditions: { resourceVersion: '1' } })).code).toBe(409);
    const answer = await remove('guarded', { preconditions: { uid, resourceVersion } });
    expect(answer.body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'guarded', kind: 'secrets', uid },
    });
  });

  test('a finalizer holds it; while it ends metadata may change and none may be added', async () => {
    expect((await post({ metadata: { name: 'held', finalizers: ['wait'] } })).body.message).toBe(
      'Secret "held" is invalid: metadata.finalizers[0]: Invalid value: "wait": name is neither a standard finalizer name nor is it fully qualified',
    );
    await post({ metadata: { name: 'held', finalizers: ['example.com/wait'] } });
    expect((await remove('held')).body.metadata).toHaveProperty('deletionTimestamp');
    expect(
      (await patch('held', { metadata: { labels: { a: 'b' } }, data: { k: 'eA==' } })).code,
    ).toBe(200);
    expect(
      (await patch('held', { metadata: { finalizers: ['example.com/wait', 'a/b'] } })).body.message,
    ).toBe(
      'Secret "held" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/b"}',
    );
    expect((await post(named('held'))).code).toBe(409);
    expect((await patch('held', { metadata: { finalizers: [] } })).code).toBe(200);
    expect((await get('held')).code).toBe(404);
  });

  test('an owner that goes takes what it owns along', async () => {
    await post(named('owner'));
    const { uid } = (await get('owner')).body.metadata as { uid?: string };
    const owner = { apiVersion: 'v1', kind: 'Secret', name: 'owner', uid };
    const owned = await post({ metadata: { name: 'owned', ownerReferences: [owner, owner] } });
    expect(owned.warnings).toEqual([expect.stringContaining('contains duplicate entries')]);
    await n('delete secret owner');
    await eventually(async () => (await get('owned')).code === 404);
  });

  test('an owner that goes by itself leaves what it owns; in the foreground it goes last', async () => {
    const own = async (owner: string, owned: string): Promise<void> => {
      await post(named(owner));
      const { uid } = (await get(owner)).body.metadata as { uid?: string };
      const reference = {
        apiVersion: 'v1',
        kind: 'Secret',
        name: owner,
        uid,
        blockOwnerDeletion: true,
      };
      await post({
        metadata: { name: owned, ownerReferences: [reference], finalizers: ['example.com/wait'] },
      });
    };
    await own('alone', 'left');
    await n('delete secret alone --cascade=orphan');
    const left = (await get('left')).body.metadata as Record<string, unknown>;
    expect(left).not.toHaveProperty('ownerReferences');
    expect(left).not.toHaveProperty('deletionTimestamp');

    await own('last', 'first');
    await n('delete secret last --cascade=foreground --wait=false');
    await eventually(async () =>
      expect((await get('first')).body.metadata).toHaveProperty('deletionTimestamp'),
    );
    expect((await get('last')).body.metadata).toMatchObject({ finalizers: ['foregroundDeletion'] });
    await patch('first', { metadata: { finalizers: null } });
    await eventually(async () => (await get('last')).code === 404);
    await patch('left', { metadata: { finalizers: null } });
  });

  test('of a collection, by labels and by type', async () => {
    await post({ metadata: { name: 'c1', labels: { of: 'collection' } }, type: 'a/1' });
    await post({ metadata: { name: 'c2', labels: { of: 'collection' } }, type: 'a/2' });
    await post({ metadata: { name: 'c3' }, type: 'a/1' });
    const clear = (query: string): Promise<RawAnswer> =>
      send({ method: 'DELETE', path: `${secrets}?${query}` });
    expect(
      (await clear('labelSelector=of=collection&fieldSelector=type=a/1')).body.items,
    ).toHaveLength(1);
    expect(await n('get secrets -o name --field-selector', ['type=a/1'])).toBe('secret/c3');
    await clear('labelSelector=of=collection');
    expect((await get('c2')).code).toBe(404);
  });
});

describe('kubectl on what was declared', () => {
  const manifest = (stringData: object): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'declared' },
      stringData,
      data: { kept: 'eA==' },
    });

  test('create, diff, apply, replace: words, masks, and what stays', async () => {
    expect(await n('create -f -', [], manifest({ user: 'admin' }))).toBe('secret/declared created');
    const diff = await tried('diff -f -', [], manifest({ user: 'hunter2' }));
    expect(diff.code).toBe(1);
    expect(diff.stdout).toContain("-  user: '*** (before)'\n+  user: '*** (after)'");
    expect(diff.stdout).not.toMatch(/hunter2|annotations/);
    expect((await tried('apply -f -', [], manifest({ user: 'hunter2' }))).stdout).toBe(
      'secret/declared configured\n',
    );
    // k/k#108008: what was once merged from stringData stays.
    await n('apply -f -', [], manifest({ other: 'y' }));
    expect(await n('get secret declared -o jsonpath={.data}')).toBe(
      '{"kept":"eA==","other":"eQ==","user":"aHVudGVyMg=="}',
    );
    expect(await n('replace --force -f -', [], manifest({ other: 'y' }))).toBe(
      'secret "declared" deleted\nsecret/declared replaced',
    );
    expect(await n('get secret declared -o jsonpath={.data}')).toBe(
      '{"kept":"eA==","other":"eQ=="}',
    );
  });

  test('where the Secret wishes it, apply leaves no values behind, nor keys that left stringData', async () => {
    const tidy = (stringData: object): string =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'tidy', annotations: { 'keylet.dev/apply': 'tidy' } },
        stringData,
      });
    await n('apply -f -', [], tidy({ user: 'hunter2', pass: 'hunter2' }));
    await n('patch secret tidy', ['-p', '{"stringData":{"foreign":"kept"}}']);
    await n('apply -f -', [], tidy({ pass: 'hunter2' }));
    const { text, body } = await get('tidy');
    expect(Object.keys(body.data as object)).toEqual(['pass', 'foreign']);
    expect(text).not.toContain('hunter2');
    expect((await tried('diff -f -', [], tidy({ pass: 'hunter2' }))).stdout).not.toContain(
      'hunter2',
    );
  });

  test('describe shows sizes, and a value only of a service account’s token', async () => {
    const described = await n('describe secret declared');
    expect(described).toMatch(
      /Data\n====\n(kept: +1 bytes\nother: +1 bytes|other: +1 bytes\nkept: +1 bytes)/,
    );
    await n('create serviceaccount robot');
    await n(
      'apply -f -',
      [],
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          name: 'robot-token',
          annotations: { 'kubernetes.io/service-account.name': 'robot' },
        },
        type: 'kubernetes.io/service-account-token',
        stringData: { token: 'shown', extra: 'hidden' },
      }),
    );
    const token = await n('describe secret robot-token');
    expect(token).toMatch(/Type: +kubernetes\.io\/service-account-token/);
    expect(token).toMatch(/token: +\S+/);
    expect(token).toMatch(/extra: +6 bytes/);
  });

  test('tables: columns, wide, labels, namespaces', async () => {
    expect(await n('get secret declared -o wide')).toMatch(
      /^NAME +TYPE +DATA +AGE\ndeclared +Opaque +2 +\d+s$/,
    );
    expect(await n('get secret declared --show-labels')).toMatch(/AGE +LABELS\n.* <none>$/);
    expect(await kubectl('get secrets -A')).toMatch(/^NAMESPACE +NAME +TYPE +DATA +AGE\n/);
    expect(await n('get secret declared -o', ['go-template={{.data.other|base64decode}}'])).toBe(
      'y',
    );
  });
});

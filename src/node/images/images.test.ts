import { describe, expect, test } from 'vitest';
import type { Secret } from '../../api/core/v1/secret.ts';
import { parseImageName } from './image-name.ts';
import { createKeyring } from './keyring.ts';

describe('parseImageName()', () => {
  test.each([
    ['redis', 'docker.io/library/redis:latest'],
    ['redis:7', 'docker.io/library/redis:7'],
    ['user/app', 'docker.io/user/app:latest'],
    ['docker.io/redis', 'docker.io/library/redis:latest'],
    ['index.docker.io/user/app', 'docker.io/user/app:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['127.0.0.1:5000/private/busybox:1', '127.0.0.1:5000/private/busybox:1'],
    ['ghcr.io/a/b/c', 'ghcr.io/a/b/c:latest'],
    [`redis@sha256:${'a'.repeat(64)}`, `docker.io/library/redis@sha256:${'a'.repeat(64)}`],
  ])('%s is %s', (image, full) => {
    expect(parseImageName(image).full).toBe(full);
  });

  test.each([
    [
      'mySshImage',
      'Failed to apply default image tag "mySshImage": couldn\'t parse image name "mySshImage": invalid reference format: repository name (library/mySshImage) must be lowercase',
    ],
    ['a b', 'invalid reference format'],
    ['redis:', 'invalid reference format'],
    ['redis@sha256:xyz', 'invalid reference format'],
  ])('%j is refused', (image, message) => {
    expect(() => parseImageName(image)).toThrow(message);
  });
});

describe('createKeyring()', () => {
  const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
  const configJson = (auths: Record<string, object>): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': b64({ auths }) },
  });
  const users = (auths: string[], repository: string): (string | undefined)[] =>
    createKeyring([
      configJson(Object.fromEntries(auths.map(key => [key, { username: key, password: 'p' }]))),
    ])
      .lookup(repository)
      .map(each => each.username);

  test.each([
    { of: 'a host', keys: ['a.io'], repository: 'a.io/x', found: ['a.io'] },
    {
      of: 'a port that must be equal',
      keys: ['a.io:443', 'a.io'],
      repository: 'a.io/x',
      found: ['a.io'],
    },
    {
      of: 'a glob of one label',
      keys: ['*.io', '*.a.io'],
      repository: 'b.a.io/x',
      found: ['*.a.io'],
    },
    {
      of: 'the most specific first',
      keys: ['a.io', 'a.io/team', 'a.io/team/app'],
      repository: 'a.io/team/app',
      found: ['a.io/team/app', 'a.io/team', 'a.io'],
    },
    { of: 'a path that is another', keys: ['a.io/other'], repository: 'a.io/team', found: [] },
    {
      of: 'scheme and version left out',
      keys: ['https://a.io/v2/'],
      repository: 'a.io/x',
      found: ['https://a.io/v2/'],
    },
    {
      of: 'Docker Hub by its old name',
      keys: ['https://index.docker.io/v1/'],
      repository: 'docker.io/library/redis',
      found: ['https://index.docker.io/v1/'],
    },
    {
      of: 'Docker Hub by its name',
      keys: ['docker.io'],
      repository: 'docker.io/library/redis',
      found: ['docker.io'],
    },
    { of: 'no match', keys: ['b.io'], repository: 'a.io/x', found: [] },
  ])('matches $of', ({ keys, repository, found }) => {
    expect(users(keys, repository)).toEqual(found);
  });

  test('auth wins over user name and password', () => {
    const auth = Buffer.from('user:pass:word').toString('base64');
    const keyring = createKeyring([configJson({ 'a.io': { username: 'x', password: 'y', auth } })]);
    expect(keyring.lookup('a.io/x')).toEqual([{ username: 'user', password: 'pass:word' }]);
  });

  test('the old form is read, other types are left out', () => {
    const old: Secret = {
      ...configJson({}),
      type: 'kubernetes.io/dockercfg',
      data: { '.dockercfg': b64({ 'a.io': { username: 'old', password: 'p' } }) },
    };
    const opaque: Secret = { ...old, type: 'Opaque' };
    expect(
      createKeyring([opaque, old])
        .lookup('a.io/x')
        .map(each => each.username),
    ).toEqual(['old']);
  });

  test('one that cannot be read is named and not quoted', () => {
    const broken = {
      ...configJson({}),
      data: { '.dockerconfigjson': Buffer.from('hunter2{').toString('base64') },
    };
    expect(() => createKeyring([broken])).toThrow('unable to parse the pull secret "s"');
    expect(() => createKeyring([broken])).not.toThrow(/hunter2/);
  });
});

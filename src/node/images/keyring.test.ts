import { describe, expect, test } from 'vitest';
import type { Secret } from '../../api/core/v1/secret.ts';
import { createKeyring } from './keyring.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const pullSecret = (name: string, config: unknown, old = false): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'ns', uid: `uid-${name}` },
  type: old ? 'kubernetes.io/dockercfg' : 'kubernetes.io/dockerconfigjson',
  data: {
    [old ? '.dockercfg' : '.dockerconfigjson']: base64(
      typeof config === 'string' ? config : JSON.stringify(config),
    ),
  },
});

/** A secret whose user names are its registries. */
const secretFor = (name: string, ...registries: string[]): Secret =>
  pullSecret(name, {
    auths: Object.fromEntries(registries.map(key => [key, { username: key, password: 'p' }])),
  });

const users = (secrets: readonly Secret[], repository: string): (string | undefined)[] =>
  createKeyring(secrets)
    .lookup(repository)
    .map(({ auth }) => auth.username);

describe('createKeyring(): which registry an image belongs to', () => {
  test.each([
    // Hosts: label by label.
    ['reg.example.io', 'reg.example.io/app', true],
    ['reg.example.io', 'other.example.io/app', false],
    ['reg.example.io', 'example.io/app', false],
    ['example.io', 'reg.example.io/app', false],
    ['example.io', 'example.com/app', false],
    ['Example.io', 'example.io/app', false],
    // Globs: one label each, and never more.
    ['*.example.io', 'reg.example.io/app', true],
    ['reg.*.io', 'reg.example.io/app', true],
    ['reg.example.*', 'reg.example.io/app', true],
    ['*-eu.example.io', 'reg-eu.example.io/app', true],
    ['reg[0-9].example.io', 'reg7.example.io/app', true],
    ['reg[0-9].example.io', 'regx.example.io/app', false],
    ['*.example.io', 'example.io/app', false],
    ['*.*.example.io', 'reg.example.io/app', false],
    ['*.io', 'reg.example.io/app', false],
    ['e*.io', 'quay.io/app', false],
    ['reg.example.c*', 'reg.example.io/app', false],
    ['reg[.example.io', 'reg[.example.io/app', false],
    // Ports: equal, or in neither.
    ['reg.io:5000', 'reg.io:5000/app', true],
    ['*.example.io:5000', 'reg.example.io:5000/app', true],
    ['reg.io:443', 'reg.io/app', false],
    ['reg.io', 'reg.io:5000/app', false],
    ['reg.io:5000', 'reg.io:5001/app', false],
    ['reg.io:port', 'reg.io/app', false],
    ['[::1]:5000', '[::1]:5000/app', true],
    // Paths: a plain prefix, with no regard to slashes.
    ['reg.io/team', 'reg.io/team/app', true],
    ['reg.io/team', 'reg.io/teams/app', true],
    ['*.example.io/team', 'reg.example.io/team/app', true],
    ['reg.io/team/app', 'reg.io/team', false],
    ['reg.io/other', 'reg.io/team/app', false],
    ['reg.io:5000/team', 'reg.io:5000/team/app', true],
    ['reg.io/team:5000', 'reg.io/team/app:5000', false],
    ['reg.io/*', 'reg.io/team', false],
    // Schemes, versions, and what else a URL may have.
    ['https://reg.io', 'reg.io/app', true],
    ['http://reg.io', 'reg.io/app', true],
    ['https://*.example.io', 'reg.example.io/app', true],
    ['https://reg.io/', 'reg.io/app', true],
    ['https://reg.io/v1/', 'reg.io/app', true],
    ['https://reg.io/v2/', 'reg.io/app', true],
    ['reg.io/v2/team', 'reg.io/team/app', true],
    ['reg.io/v2', 'reg.io/app', false],
    ['https://reg.io/v3/', 'reg.io/app', false],
    ['https://me:word@reg.io', 'reg.io/app', true],
    ['https://reg.io?service=x', 'reg.io/app', true],
    ['ftp://reg.io', 'reg.io/app', false],
    ['re g.io', 're g.io/app', false],
    ['reg.io/%zz', 'reg.io/%zz', false],
    // Docker Hub by its many names.
    ['docker.io', 'docker.io/library/redis', true],
    ['https://index.docker.io/v1/', 'docker.io/library/redis', true],
    ['index.docker.io', 'docker.io/user/app', true],
    ['index.docker.io/v1/', 'docker.io/user/app', true],
    ['https://index.docker.io/v1/', 'reg.io/app', false],
    ['https://index.docker.io/v1/', 'myhostdocker.io/app', false],
    ['https://index.docker.io/v1/', 'reg:5000/app', false],
    ['registry-1.docker.io', 'docker.io/library/redis', false],
    ['index.docker.io/user', 'docker.io/user/app', false],
  ])('%s for %s: %s', (registry, repository, found) => {
    expect(users([secretFor('s', registry)], repository)).toEqual(found ? [registry] : []);
  });

  test.each([
    ['reg.io', ['reg.io']],
    ['reg.io/team', ['reg.io/team', 'reg.io']],
    ['reg.io/team/app', ['reg.io/team/app', 'reg.io/team', 'reg.io']],
    ['reg.io/teamwork', ['reg.io/team', 'reg.io']],
    ['reg.io/else', ['reg.io']],
    ['example.com', []],
  ])('all that match %s, the most specific first', (repository, found) => {
    expect(users([secretFor('s', 'reg.io', 'reg.io/team/app', 'reg.io/team')], repository)).toEqual(
      found,
    );
  });

  test('a glob comes after what it is a glob of, as the order of characters has it', () => {
    expect(users([secretFor('s', '*.example.io', 'reg.example.io')], 'reg.example.io/a')).toEqual([
      'reg.example.io',
      '*.example.io',
    ]);
  });

  test("Docker Hub's old name is for when nothing else matches", () => {
    const both = secretFor('s', 'https://index.docker.io/v1/', 'docker.io');
    expect(users([both], 'docker.io/library/redis')).toEqual(['docker.io']);
  });
});

describe('createKeyring(): several secrets', () => {
  test('all are one keyring; those of one registry keep the order of the secrets', () => {
    const as = (user: string, registry: string): Secret =>
      pullSecret(user, { auths: { [registry]: { username: user, password: 'p' } } });
    const secrets = [
      as('first', 'reg.io'),
      as('deep', 'reg.io/team'),
      as('second', 'https://reg.io/'),
    ];
    expect(createKeyring(secrets).lookup('reg.io/team/app')).toEqual(
      ['deep', 'first', 'second'].map(name => ({
        auth: { username: name, password: 'p' },
        secret: { uid: `uid-${name}`, namespace: 'ns', name },
      })),
    );
  });

  test('the old form is read beside the new; other types and empty ones are left out', () => {
    const old = pullSecret('old', { 'reg.io': { username: 'old', password: 'p' } }, true);
    const secrets: Secret[] = [
      { ...old, type: 'Opaque' },
      { ...old, type: 'kubernetes.io/dockerconfigjson' },
      { ...secretFor('wrong key', 'reg.io'), type: 'kubernetes.io/dockercfg' },
      { ...old, data: { '.dockercfg': '' } },
      pullSecret('none', {}),
      pullSecret('null', { auths: null }),
      old,
      secretFor('new', 'reg.io'),
    ];
    expect(users(secrets, 'reg.io/app')).toEqual(['old', 'reg.io']);
  });
});

describe('createKeyring(): what an entry says', () => {
  const authOf = (entry: unknown): unknown =>
    createKeyring([pullSecret('s', { auths: { 'reg.io': entry } })]).lookup('reg.io/app')[0]?.auth;

  test.each([
    [{ username: 'u', password: 'p', email: 'e' }, 'u', 'p'],
    [{ auth: base64('u:p') }, 'u', 'p'],
    [{ auth: base64('user:pass').replace(/=+$/, '') }, 'user', 'pass'],
    [{ auth: `${base64('user:pass')}\n` }, 'user', 'pass'],
    [{ auth: base64('u:p:a:ss') }, 'u', 'p:a:ss'],
    [{ auth: base64(':p') }, '', 'p'],
    [{ auth: base64('ü:ß€') }, 'ü', 'ß€'],
    [{ username: 'u', password: 'p', auth: base64('ping:pong') }, 'ping', 'pong'],
    [{ username: 'u', password: 'p', auth: '' }, 'u', 'p'],
    [{ Username: 'u', PASSWORD: 'p' }, 'u', 'p'],
    [{ username: null, password: 'p' }, '', 'p'],
    [{}, '', ''],
    [null, '', ''],
    // The kubelet reads no tokens: what is left is sent.
    [{ auth: base64('0000:'), identitytoken: 'token' }, '0000', ''],
    [{ registrytoken: 'token' }, '', ''],
  ])('%j', (entry, username, password) => {
    expect(authOf(entry)).toEqual({ username, password });
  });

  const badAuth = 'unable to parse auth field, must be formatted as base64(username:password)';
  test.each([
    [{ auth: 'hunter2!' }, badAuth],
    [{ auth: base64('hunter2') }, badAuth],
    [{ auth: base64('hunter2:??>').replace('+', '-').replace('/', '_') }, badAuth],
    [{ auth: `${base64('u:hunter2')}=` }, badAuth],
    [{ auth: 7 }, 'auth of a registry is not a string'],
    [{ password: ['hunter2'] }, 'password of a registry is not a string'],
    ['hunter2', 'it does not hold a Docker configuration'],
  ])('%j spoils the whole keyring: its secret is named, and nothing quoted', (entry, why) => {
    const broken = pullSecret('broken', { auths: { 'unused.io': entry } });
    const make = () => createKeyring([secretFor('good', 'reg.io'), broken]);
    expect(make).toThrow(`unable to parse the pull secret "broken": ${why}`);
    expect(make).not.toThrow(/hunter2/);
  });

  test.each([
    ['hunter2{', 'it is not JSON'],
    ['["hunter2"]', 'it does not hold a Docker configuration'],
    ['{"auths":["hunter2"]}', 'it does not hold a Docker configuration'],
    ['{"auths":"hunter2"}', 'it does not hold a Docker configuration'],
  ])('%s is no Docker configuration', (config, why) => {
    const make = () => createKeyring([pullSecret('broken', config)]);
    expect(make).toThrow(`unable to parse the pull secret "broken": ${why}`);
    expect(make).not.toThrow(/hunter2/);
  });
});

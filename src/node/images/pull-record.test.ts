import { describe, expect, test } from 'vitest';
import {
  findAccess,
  withCredentials,
  type ImagePullCredentials,
  type ImagePulledRecord,
  type ImagePullSecret,
} from './pull-record.ts';

const secret = (place: string, credentialHash: string): ImagePullSecret => {
  const [namespace = '', name = '', uid = ''] = place.split('/');
  return { uid, namespace, name, credentialHash };
};
const one = secret('ns1/name1/uid1', 'hash1');
const two = secret('ns2/name2/uid2', 'hash2');
const secrets = (...kubernetesSecrets: ImagePullSecret[]): ImagePullCredentials => ({
  kubernetesSecrets,
});
const everyone: ImagePullCredentials = { nodePodsAccessible: true };

describe('withCredentials()', () => {
  const old: ImagePulledRecord = {
    kind: 'ImagePulledRecord',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    lastUpdatedTime: '2022-02-22T12:00:00Z',
    imageRef: 'ref',
    credentialMapping: { a: secrets(one), b: secrets(one, two), open: everyone },
  };
  const now = new Date('2026-01-02T03:04:05.678Z');
  const add = (
    record: ImagePulledRecord | undefined,
    repository: string,
    credentials?: ImagePullCredentials,
  ): ImagePulledRecord =>
    withCredentials(record, {
      imageRef: 'ref',
      repository,
      now,
      ...(credentials === undefined ? {} : { credentials }),
    });

  test('a first pull is written as the kubelet writes it', () => {
    expect(JSON.stringify(add(undefined, 'reg.io/app', secrets(one)))).toBe(
      '{"kind":"ImagePulledRecord","apiVersion":"kubelet.config.k8s.io/v1beta1","lastUpdatedTime":"2026-01-02T03:04:05Z","imageRef":"ref","credentialMapping":{"reg.io/app":{"kubernetesSecrets":[{"uid":"uid1","namespace":"ns1","name":"name1","credentialHash":"hash1"}]}}}',
    );
  });

  test('a pull of which nothing is known is noted, with no credentials', () => {
    expect(add(undefined, 'reg.io/app').credentialMapping).toEqual({});
  });

  const three = secret('ns1/name9/uid3', 'hash3');
  const rotated = { ...two, credentialHash: 'new' };
  const again = secret('ns2/name3/uid3', 'hash2');
  test.each([
    { of: 'a new name', repository: 'c', added: secrets(three), now: secrets(three) },
    { of: 'a new secret', repository: 'a', added: secrets(two), now: secrets(one, two) },
    { of: 'sorted', repository: 'b', added: secrets(three), now: secrets(one, three, two) },
    {
      of: 'a rotated secret',
      repository: 'b',
      added: secrets(rotated),
      now: secrets(one, rotated),
    },
    {
      of: 'the same credentials elsewhere',
      repository: 'b',
      added: secrets(again),
      now: secrets(one, two, again),
    },
    { of: 'everyone instead of secrets', repository: 'b', added: everyone, now: everyone },
  ])('$of', ({ repository, added, now: after }) => {
    const record = add(old, repository, added);
    expect(record).toEqual({
      ...old,
      lastUpdatedTime: '2026-01-02T03:04:05Z',
      credentialMapping: { ...old.credentialMapping, [repository]: after },
    });
  });

  test.each([
    ['b', secrets(two)],
    ['open', everyone],
    ['open', secrets(one)],
    ['a', {}],
    ['unknown', undefined],
  ])('nothing new for %s leaves the record as it is', (repository, credentials) => {
    expect(add(old, repository, credentials)).toBe(old);
  });
});

describe('findAccess()', () => {
  const access = (known: ImagePullCredentials | undefined, ...pod: ImagePullSecret[]) =>
    findAccess(known, () => pod);

  test.each([
    { of: 'the very secret', known: secrets(one), pod: [one], granted: true },
    { of: 'no secret', known: secrets(one), pod: [], granted: false },
    { of: 'another secret', known: secrets(one), pod: [two], granted: false },
    {
      of: 'a secret of the same name, made anew',
      known: secrets(one),
      pod: [secret('ns1/name1/other', 'hash9')],
      granted: false,
    },
    {
      of: 'a secret of the same name elsewhere',
      known: secrets(one),
      pod: [secret('ns9/name1/uid1', 'hash9')],
      granted: false,
    },
    {
      of: 'one of several',
      known: secrets(one, two),
      pod: [secret('x/y/z', 'h'), two],
      granted: true,
    },
    { of: 'nobody knows how it came', known: {}, pod: [one], granted: false },
    { of: 'pulled under another name only', known: undefined, pod: [one], granted: false },
    { of: 'everyone', known: everyone, pod: [], granted: true },
    { of: 'everyone, with a secret', known: everyone, pod: [one], granted: true },
  ])('$of: $granted', ({ known, pod, granted }) => {
    expect(access(known, ...pod)).toEqual({ granted });
  });

  test('the same credentials in another secret are good, and that is learned', () => {
    const copy = secret('ns9/copy/uid9', 'hash1');
    expect(access(secrets(one), copy)).toEqual({ granted: true, learned: copy });
  });

  test('the secret that pulled it, rotated since, is good; what it holds now and held before is no proof', () => {
    const rotated = { ...one, credentialHash: 'new' };
    const learned = { ...one, credentialHash: '' };
    expect(access(secrets(one), rotated)).toEqual({ granted: true, learned });
    expect(access(secrets(learned), rotated)).toEqual({ granted: true });
    for (const hash of ['new', 'hash1'])
      expect(access(secrets(learned), secret('ns9/copy/uid9', hash))).toEqual({ granted: false });
  });

  test('a record does not grow for ever by being looked at', () => {
    const many = Array.from({ length: 100 }, (_, i) => secret(`ns/s${i}/uid${i}`, `hash${i}`));
    expect(access(secrets(...many), secret('ns/copy/uid', 'hash7'))).toEqual({ granted: true });
  });

  test('credentials are not asked for where they do not matter', () => {
    const never = (): never => {
      throw new Error('asked');
    };
    expect(findAccess(everyone, never)).toEqual({ granted: true });
    expect(findAccess({}, never)).toEqual({ granted: false });
    expect(() => findAccess(secrets(one), never)).toThrow('asked');
  });
});

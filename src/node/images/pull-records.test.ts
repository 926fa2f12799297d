import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Image } from '../runtime/image-service.ts';
import { openCredentialHash } from './credential-hash.ts';
import { parseImageName } from '../../machinery/image-name.ts';
import type { PullCredential } from './keyring.ts';
import { openPullRecords, type PullRecords } from './pull-records.ts';
import { createVerificationPolicy } from './verification-policy.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const app = parseImageName('reg.io/app:1');
const credential = (name: string, password: string, uid = name): PullCredential => ({
  auth: { username: 'u', password },
  secret: { uid, namespace: 'ns', name },
});
const mine = credential('mine', 'hunter2');
const other = credential('other', 'wrong');

let dir: string;
let images: Image[];
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'keylet-records-'));
  images = [];
});
afterEach(() => rm(dir, { recursive: true }));

const image = (id: string, ...names: string[]): Image => ({
  id,
  repoTags: names.filter(name => !name.includes('@')),
  repoDigests: names.filter(name => name.includes('@')),
  size: 1,
  username: '',
});
const open = async (
  policy: Parameters<typeof createVerificationPolicy>[0] = 'NeverVerifyPreloadedImages',
): Promise<PullRecords> =>
  openPullRecords({
    dir,
    // The one call that is made of it.
    runtime: { listImages: () => Promise.resolve(images) },
    policy: createVerificationPolicy(policy),
    hash: await openCredentialHash(path.join(dir, 'keys'), silent),
    log: silent,
  });
const pullAs = async (
  records: PullRecords,
  used: PullCredential | undefined,
  name = app,
  ref = 'id1',
): Promise<void> => {
  await records.begin(name);
  await records.succeeded(name, ref, used);
  images = [...images.filter(each => each.id !== ref), image(ref, name.full)];
};
const files = (folder: 'pulling' | 'pulled'): Promise<string[]> => readdir(path.join(dir, folder));
const may = (records: PullRecords, ...pod: PullCredential[]): Promise<boolean> =>
  records.mayUse(app, 'id1', () => pod);

describe('openPullRecords()', () => {
  test('an image that one secret pulled is not for who has none, nor another', async () => {
    const records = await open();
    await pullAs(records, mine);
    expect(await may(records, mine)).toBe(true);
    expect(await may(records)).toBe(false);
    expect(await may(records, other)).toBe(false);
    expect(await may(records, other, mine)).toBe(true);
  });

  test('one that anybody could pull is for everyone', async () => {
    const records = await open();
    await pullAs(records, undefined);
    expect(await may(records)).toBe(true);
    await pullAs(records, mine);
    expect(await may(records)).toBe(true);
  });

  test('one that was pulled under another name must be pulled under this one too', async () => {
    const records = await open();
    await pullAs(records, undefined, parseImageName('mirror.io/app:1'));
    expect(await may(records, mine)).toBe(false);
  });

  test('a tag says nothing about who may', async () => {
    const records = await open();
    await pullAs(records, mine, parseImageName('reg.io/app:2'));
    expect(await may(records, mine)).toBe(true);
    expect(await may(records)).toBe(false);
  });

  test.each([
    ['NeverVerify', true, true],
    ['NeverVerifyPreloadedImages', true, false],
    ['NeverVerifyAllowlistedImages', false, false],
    ['AlwaysVerify', false, false],
  ] as const)('%s: a preloaded image %s, a pulled one %s', async (policy, preloaded, pulled) => {
    const records = await open(policy);
    expect(await may(records)).toBe(preloaded);
    await pullAs(records, mine);
    expect(await may(records)).toBe(pulled);
    expect(await may(records, mine)).toBe(true);
  });

  test('while a pull is under way what it brings is nobody’s', async () => {
    const records = await open();
    await records.begin(app);
    await records.begin(app);
    expect(await may(records, mine)).toBe(false);
    await records.failed(app);
    expect(await files('pulling')).toHaveLength(1);
    expect(await may(records, mine)).toBe(false);
    await records.failed(app);
    expect(await files('pulling')).toEqual([]);
    expect(await may(records)).toBe(true);
  });

  test('a secret with the same credentials is learned, and stays good when it is rotated', async () => {
    const records = await open();
    await pullAs(records, mine);
    const copy = credential('copy', 'hunter2');
    expect(await may(records, copy)).toBe(true);
    const rotated = credential('copy', 'rotated');
    expect(await may(records, rotated)).toBe(true);
    expect(await may(records, credential('stranger', 'rotated'))).toBe(false);
    expect(await may(records, credential('copy', 'else', 'made anew'))).toBe(false);
    await pullAs(records, rotated);
    expect(await may(records, credential('stranger', 'rotated'))).toBe(true);
  });

  test('pulls at the same time are all noted', async () => {
    const records = await open();
    const all = Array.from({ length: 20 }, (_, i) => credential(`s${i}`, `password ${i}`));
    await Promise.all(all.map(each => pullAs(records, each)));
    const again = await open();
    for (const each of all) expect(await may(again, each)).toBe(true);
  });
});

describe('on disk', () => {
  test('files are as the kubelet has them, for root alone, and tell no password', async () => {
    const records = await open();
    await records.begin(app);
    const [intent = ''] = await files('pulling');
    // printf reg.io/app:1 | sha256sum
    expect(intent).toBe('sha256-0ca68958c6d78982dcc8bb310180b013eb2b09e60cf81321425ff64798e56554');
    expect(JSON.parse(await readFile(path.join(dir, 'pulling', intent), 'utf8'))).toEqual({
      kind: 'ImagePullIntent',
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      image: 'reg.io/app:1',
    });
    await records.succeeded(app, 'id1', mine);
    expect(await files('pulling')).toEqual([]);
    const [file = ''] = await files('pulled');
    const text = await readFile(path.join(dir, 'pulled', file), 'utf8');
    expect(JSON.parse(text)).toEqual({
      kind: 'ImagePulledRecord',
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      lastUpdatedTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      imageRef: 'id1',
      credentialMapping: {
        'reg.io/app': {
          kubernetesSecrets: [
            { ...mine.secret, credentialHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
          ],
        },
      },
    });
    for (const [name, mode] of [
      [`pulled/${file}`, 0o600],
      ['pulled', 0o700],
      ['pulling', 0o700],
      ['keys/image-pulls.key', 0o600],
    ] as const) {
      expect((await stat(path.join(dir, name))).mode & 0o777).toBe(mode);
    }
  });

  test('what was pulled is known to the next process', async () => {
    await pullAs(await open(), mine);
    const next = await open();
    expect(await may(next, mine)).toBe(true);
    expect(await may(next, credential('copy', 'hunter2'))).toBe(true);
    expect(await may(next, other)).toBe(false);
  });

  test('hashes of another key are of no use: credentials are asked for once more', async () => {
    await pullAs(await open(), mine);
    await rm(path.join(dir, 'keys'), { recursive: true });
    expect(await may(await open(), credential('copy', 'hunter2'))).toBe(false);
  });

  test.each([
    ['by tag', 'docker.io/library/redis:latest', 'redis'],
    ['by digest', `reg.io/app@sha256:${'a'.repeat(64)}`, `reg.io/app:1@sha256:${'a'.repeat(64)}`],
  ])('a pull that a crash cut short is nobody’s (%s)', async (_how, listed, wanted) => {
    const name = parseImageName(wanted);
    await (await open()).begin(name);
    images = [image('id1', listed)];
    const records = await open();
    expect(await files('pulling')).toEqual([]);
    expect(await files('pulled')).toHaveLength(1);
    expect(await records.mayUse(name, 'id1', () => [mine])).toBe(false);
    await pullAs(records, mine, name);
    expect(await records.mayUse(name, 'id1', () => [mine])).toBe(true);
  });

  test('one that brought nothing stays noted, and does not undo what is known', async () => {
    const records = await open();
    await pullAs(records, mine);
    await records.begin(app);
    await records.begin(parseImageName('reg.io/never-came:1'));
    const next = await open();
    expect(await files('pulling')).toHaveLength(1);
    expect(await may(next, mine)).toBe(true);
  });

  test('a record that was damaged keeps everybody out until a pull', async () => {
    await pullAs(await open(), undefined);
    const [file = ''] = await files('pulled');
    await writeFile(path.join(dir, 'pulled', file), '{"kind":"ImagePull');
    await writeFile(path.join(dir, 'pulled', `${file}.tmp`), 'left by a crash');
    const records = await open();
    expect(await may(records, mine)).toBe(false);
    await pullAs(records, mine);
    expect(await may(records, mine)).toBe(true);
  });

  test('records of images that are gone go: what comes back otherwise is preloaded', async () => {
    await pullAs(await open(), mine);
    images = [image('id2', 'reg.io/other:1')];
    const records = await open();
    expect(await files('pulled')).toEqual([]);
    expect(await may(records)).toBe(true);
  });
});

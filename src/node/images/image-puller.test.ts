import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Container, Pod } from '../../api/core/v1/pod.ts';
import type { Secret } from '../../api/core/v1/secret.ts';
import type { AuthConfig, Image, ImageService } from '../runtime/image-service.ts';
import { NotFoundReference } from '../references/references.ts';
import { ImageError } from './image-error.ts';
import { createImagePuller, type ImagePuller, type ReadyImage } from './image-puller.ts';
import { openPullRecords } from './pull-records.ts';
import { createPullSecrets } from './pull-secrets.ts';
import { createVerificationPolicy } from './verification-policy.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const image: Image = {
  id: 'id1',
  repoTags: ['reg.io/app:1'],
  repoDigests: [],
  size: 42,
  username: '',
};

let dir: string;
let puller: ImagePuller;
let events: string[];
let told: string[];
let pulls: (AuthConfig | undefined)[];
let secrets: Map<string, Secret>;
let present: boolean;
/** What the registry answers; undefined for a pull that goes well. */
let answer: (auth: AuthConfig | undefined) => string | undefined | Promise<string | undefined>;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'keylet-puller-'));
  events = [];
  told = [];
  pulls = [];
  secrets = new Map();
  present = false;
  answer = () => undefined;
  // A registry that fails as it is told; the real one is in test/e2e.
  const runtime: ImageService = {
    imageStatus: () => Promise.resolve(present ? image : undefined),
    listImages: () => Promise.resolve(present ? [image] : []),
    async pullImage(_image: string, auth?: AuthConfig) {
      pulls.push(auth);
      const failure = await answer(auth);
      if (failure !== undefined) throw new Error(failure);
      present = true;
      return image.id;
    },
    removeImage: () => Promise.resolve(),
  };
  const recorder = {
    event: (_object: unknown, type: string, reason: string, message: string) =>
      void events.push(`${type} ${reason}: ${message}`),
    flush: () => Promise.resolve(),
  };
  puller = createImagePuller({
    runtime,
    recorder,
    records: await openPullRecords({
      dir,
      runtime,
      policy: createVerificationPolicy('NeverVerifyPreloadedImages'),
      hash: ({ password = '' }) => password,
      log: silent,
    }),
    pullSecrets: createPullSecrets({
      recorder,
      references: {
        getSecret: (_namespace, name) => {
          const found = secrets.get(name);
          return found === undefined
            ? Promise.reject(new NotFoundReference('Secret', name))
            : Promise.resolve(found);
        },
      },
    }),
    onTold: words => told.push(...words),
  });
});
afterEach(() => rm(dir, { recursive: true }));

const pod = (uid: string, ...pullSecrets: string[]): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: uid, namespace: 'ns', uid },
  spec: { containers: [], imagePullSecrets: pullSecrets.map(name => ({ name })) },
});
const ensure = (
  of: Pod,
  imagePullPolicy: Container['imagePullPolicy'] = 'IfNotPresent',
  wanted = 'reg.io/app:1',
): Promise<ReadyImage> =>
  puller.ensureImage({ pod: of, container: { name: 'main', image: wanted, imagePullPolicy } });
const failure = async (promise: Promise<ReadyImage>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ImageError)) throw error ?? new Error('it did not fail');
  return `${error.reason}: ${error.message}`;
};
const addSecret = (name: string, password: string, registry = 'reg.io'): void =>
  void secrets.set(name, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'ns', uid: name },
    type: 'kubernetes.io/dockerconfigjson',
    data: {
      '.dockerconfigjson': Buffer.from(
        JSON.stringify({ auths: { [registry]: { username: name, password } } }),
      ).toString('base64'),
    },
  });

describe('ensureImage(): credentials', () => {
  test('each that matches is tried until one is taken; what does not match is not sent', async () => {
    addSecret('first', 'wrong');
    addSecret('elsewhere', 'never', 'other.io');
    addSecret('second', 'right');
    addSecret('third', 'unused');
    answer = auth => (auth?.password === 'right' ? undefined : 'denied');
    await ensure(pod('a', 'first', 'elsewhere', 'second', 'third'));
    expect(pulls.map(auth => auth?.username)).toEqual(['first', 'second']);
  });

  test('all failures are told, the same one once', async () => {
    for (const name of ['one', 'two', 'three']) addSecret(name, name);
    answer = auth => (auth?.username === 'two' ? 'no such image' : 'denied');
    expect(await failure(ensure(pod('a', 'one', 'two', 'three')))).toBe(
      'ErrImagePull: [denied, no such image]',
    );
    expect(pulls).toHaveLength(3);
    expect(events).toContain(
      'Warning Failed: Failed to pull image "reg.io/app:1": [denied, no such image]',
    );
  });

  test('with nothing that matches the pull is anonymous, and only then', async () => {
    addSecret('elsewhere', 'never', 'other.io');
    await ensure(pod('a', 'elsewhere'), 'Always');
    expect(pulls).toEqual([undefined]);
    addSecret('mine', 'wrong');
    answer = () => 'denied';
    await failure(ensure(pod('b', 'mine'), 'Always'));
    expect(pulls.slice(1).map(auth => auth?.username)).toEqual(['mine']);
  });

  test('a secret that cannot be read stops the pull, by name', async () => {
    addSecret('good', 'right');
    const auths = { 'x.io': { auth: 'hunter2' } };
    addSecret('bad', '');
    secrets.get('bad')!.data = {
      '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64'),
    };
    const why =
      'unable to parse the pull secret "bad": unable to parse auth field, must be formatted as base64(username:password)';
    expect(await failure(ensure(pod('a', 'good', 'bad')))).toBe(`ErrImagePull: ${why}`);
    expect(events).toEqual([`Warning Failed: Failed to pull image "reg.io/app:1": ${why}`]);
    expect(pulls).toEqual([]);
    // An image that everyone may use needs none.
    present = true;
    await ensure(pod('a', 'good', 'bad'));
  });

  test('what the registry repeats of them is not shown, and who may have logged it is told', async () => {
    addSecret('one', 'planted-1');
    addSecret('two', 'planted-2');
    answer = auth => `you sent ${auth?.username}:${auth?.password}`;
    const shown = await failure(ensure(pod('a', 'one', 'two')));
    expect(shown).toBe('ErrImagePull: [you sent one:[REDACTED], you sent two:[REDACTED]]');
    expect(await failure(ensure(pod('a', 'one', 'two')))).toMatch(/^ImagePullBackOff/);
    expect(JSON.stringify(events)).not.toContain('planted');
    expect(told).toEqual(expect.arrayContaining(['planted-1', 'planted-2']));
  });
});

describe('ensureImage(): missing pull secrets', () => {
  const missing = (names: string): string =>
    `Warning FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (${names}); attempting to pull the image may not succeed.`;
  const warnings = (): string[] => events.filter(each => each.includes('FailedToRetrieve'));

  test('they are told once, not at every look, and the image is pulled all the same', async () => {
    addSecret('there', 'right');
    await ensure(pod('a', 'gone', 'there', '', 'lost'));
    expect(pulls.map(auth => auth?.username)).toEqual(['there']);
    await ensure(pod('a', 'gone', 'there', '', 'lost'));
    expect(warnings()).toEqual([missing('gone, lost')]);
  });

  test('they are told again when others are missing, and for another pod', async () => {
    await ensure(pod('a', 'gone', 'lost'));
    addSecret('gone', 'x');
    await ensure(pod('a', 'gone', 'lost'));
    addSecret('lost', 'x');
    await ensure(pod('a', 'gone', 'lost'));
    secrets.delete('lost');
    puller.resetBackoff('a');
    await ensure(pod('a', 'gone', 'lost'));
    await ensure(pod('b', 'lost'));
    expect(warnings()).toEqual(['gone, lost', 'lost', 'lost', 'lost'].map(missing));
  });
});

describe('ensureImage(): back-off', () => {
  test('a pull that failed is not tried again at once, and its reason stays', async () => {
    answer = () => 'denied';
    expect(await failure(ensure(pod('a')))).toBe('ErrImagePull: denied');
    expect(await failure(ensure(pod('a')))).toBe(
      'ImagePullBackOff: Back-off pulling image "reg.io/app:1": ErrImagePull: denied',
    );
    expect(pulls).toHaveLength(1);
    expect(events.slice(-1)).toEqual(['Normal BackOff: Back-off pulling image "reg.io/app:1"']);
    // Another pod's, and another image of this one's, are not held back.
    expect(await failure(ensure(pod('b')))).toBe('ErrImagePull: denied');
    expect(await failure(ensure(pod('a'), 'Always', 'reg.io/app:2'))).toBe('ErrImagePull: denied');
  });

  test('it ends when it is reset', async () => {
    answer = () => 'denied';
    await failure(ensure(pod('a')));
    puller.resetBackoff('a');
    answer = () => undefined;
    await ensure(pod('a'));
    expect(events.at(-1)).toMatch(
      /^Normal Pulled: Successfully pulled image "reg\.io\/app:1" in \S+ \(\S+ including waiting\)\. Image size: 42 bytes\.$/,
    );
  });

  test.each([
    [
      'RegistryUnavailable: dial tcp',
      'RegistryUnavailable: image pull failed for reg.io/app:1 because the registry is unavailable: dial tcp',
    ],
    [
      'SignatureValidationFailed: no key',
      'SignatureValidationFailed: image pull failed for reg.io/app:1 because the signature validation failed: no key',
    ],
  ])('%s has a reason of its own', async (said, shown) => {
    answer = () => said;
    expect(await failure(ensure(pod('a')))).toBe(shown);
    expect(await failure(ensure(pod('a')))).toBe(
      `ImagePullBackOff: Back-off pulling image "reg.io/app:1": ${shown}`,
    );
  });
});

describe('ensureImage(): policies', () => {
  const isPresent = `Normal Pulled: Container image "reg.io/app:1" already present on machine and can be accessed by the pod`;
  const neverPull = 'Container image "reg.io/app:1" is not present with pull policy of Never';

  test('Always asks the registry, also for an image that is here', async () => {
    present = true;
    await ensure(pod('a'), 'Always');
    expect(pulls).toHaveLength(1);
    answer = () => 'denied';
    expect(await failure(ensure(pod('b'), 'Always'))).toBe('ErrImagePull: denied');
  });

  test('IfNotPresent takes one that is here, or pulls it', async () => {
    await ensure(pod('a'));
    await ensure(pod('a'));
    expect(pulls).toHaveLength(1);
    expect(events.at(-1)).toBe(isPresent);
  });

  test('Never takes one that is here, or nothing', async () => {
    expect(await failure(ensure(pod('a'), 'Never'))).toBe(`ErrImageNeverPull: ${neverPull}`);
    expect(events).toEqual([`Warning ErrImageNeverPull: ${neverPull}`]);
    present = true;
    await ensure(pod('a'), 'Never');
    expect(events.at(-1)).toBe(isPresent);
    expect(pulls).toEqual([]);
  });

  test('an image that a secret pulled: without it IfNotPresent must pull, Never has none', async () => {
    addSecret('mine', 'right');
    answer = auth => (auth?.password === 'right' ? undefined : 'denied');
    await ensure(pod('a', 'mine'));
    await ensure(pod('a', 'mine'), 'Never');
    expect(await failure(ensure(pod('b')))).toBe('ErrImagePull: denied');
    expect(await failure(ensure(pod('b'), 'Never'))).toBe(`ErrImageNeverPull: ${neverPull}`);
    expect(events.filter(each => each.includes(neverPull))).toHaveLength(1);
    await ensure(pod('b', 'mine'), 'Never');
    expect(pulls).toHaveLength(2);
  });

  test('pods that want an image at the same time pull it once, each with its own right', async () => {
    addSecret('mine', 'right');
    addSecret('other', 'wrong');
    let open = (): void => undefined;
    const gate = new Promise<void>(resolve => (open = resolve));
    answer = async auth => {
      await gate;
      return auth?.password === 'right' ? undefined : 'denied';
    };
    const good = ['a', 'b', 'c'].map(uid => ensure(pod(uid, 'mine'), 'Always'));
    const bad = failure(ensure(pod('d', 'other'), 'Always'));
    await vi.waitFor(() =>
      expect(events.filter(each => each.startsWith('Normal Pulling'))).toHaveLength(4),
    );
    open();
    await Promise.all(good);
    expect(await bad).toBe('ErrImagePull: denied');
    expect(pulls).toHaveLength(2);
    expect(new Set(pulls.map(auth => auth?.username))).toEqual(new Set(['mine', 'other']));
  });

  test('a name that is none', async () => {
    const why =
      'Failed to apply default image tag "A b": couldn\'t parse image name "A b": invalid reference format: repository name (library/A b) must be lowercase';
    expect(await failure(ensure(pod('a'), 'Always', 'A b'))).toBe(`InvalidImageName: ${why}`);
    expect(events).toEqual([`Warning InspectFailed: ${why}`]);
  });
});

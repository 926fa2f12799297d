import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ociArchive } from '../../src/node/runtime/archive/oci-image.ts';
import { importImage } from '../../src/node/runtime/containerd/import-image.ts';
import { startEchoingRegistry } from '../support/echoing-registry.ts';
import { eventually } from '../support/eventually.ts';
import { busyboxImage } from '../support/images/busybox.ts';
import { startKeylet, type Keylet } from '../support/keylet.ts';
import { busyboxPod, eventsOf, waitReady } from '../support/pods.ts';
import { pullSecret } from '../support/pull-secret.ts';
import { startRegistry, type Registry } from '../support/registry.ts';
import { mustRun, run } from '../support/run.ts';

const right = { user: 'puller', password: 'planted-right-83f1' };
const wrong = { user: 'puller', password: 'planted-wrong-27c9' };
let registry: Registry;
let dataDir: string;
let keylet: Keylet;

const start = async (...args: string[]): Promise<void> => {
  keylet = await startKeylet({
    dataDir,
    args: ['--registry-hosts-dir', inject('registryHostsDir'), '--log-level', 'debug', ...args],
  });
};
/** As a machine that loses its power would, but that containerd runs on. */
const startAgain = async (...args: string[]): Promise<void> => {
  await keylet.stop('SIGKILL');
  await start(...args);
};
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-credentials-'));
  registry = await startRegistry({ credentials: right });
  await registry.push('team/app', '1', await busyboxImage('lent'));
  await start();
});
afterAll(async () => {
  await keylet.stop();
  await registry.close();
  await rm(dataDir, { recursive: true, force: true });
});

const app = (): string => `${registry.address}/team/app:1`;
const podOf = (
  name: string,
  { secrets = [] as string[], policy = 'IfNotPresent', image = app(), namespace = 'default' } = {},
): Promise<string> =>
  keylet.kubectl.apply(
    busyboxPod(name, {
      namespace,
      spec: { imagePullSecrets: secrets.map(secret => ({ name: secret })) },
      container: { image, imagePullPolicy: policy },
    }),
  );
const secret = (name: string, credentials = right, namespace = 'default'): Promise<string> =>
  keylet.kubectl.apply(pullSecret(name, registry.address, credentials, namespace));
const starts = async (...args: Parameters<typeof podOf>): Promise<void> => {
  await podOf(...args);
  await waitReady(keylet.kubectl, args[0], args[1]?.namespace);
};
const isRefused = async (...args: Parameters<typeof podOf>): Promise<void> => {
  await podOf(...args);
  await eventually(async () =>
    expect(await eventsOf(keylet.kubectl, args[0])).toMatch(
      args[1]?.policy === 'Never'
        ? /Container image ".*" is not present with pull policy of Never/
        : /Warning Failed: Failed to pull image ".*": failed to pull and unpack .*401 Unauthorized/,
    ),
  );
};
const preload = async (name: string): Promise<void> => {
  const config = await readFile(path.join(dataDir, 'containerd/config.toml'), 'utf8');
  const socket = /address = "(.*\.sock)"/.exec(config)?.[1] ?? '';
  const archive = ociArchive(await busyboxImage(name), name);
  await importImage({ ctr: 'ctr', socket, archive });
};

describe('an image that one pod’s secret has pulled', () => {
  test('is not for a pod without it, whatever the pull policy', async () => {
    await secret('cred');
    await starts('owner', { secrets: ['cred'] });
    await isRefused('without', {});
    await isRefused('without-never', { policy: 'Never' });
    await secret('cred-wrong', wrong);
    await isRefused('with-wrong', { secrets: ['cred-wrong'] });
    await starts('owner-never', { secrets: ['cred'], policy: 'Never' });
  });

  test('such a pod starts as soon as it is given the secret', async () => {
    await podOf('late', { secrets: ['later'] });
    await podOf('late-never', { secrets: ['later'], policy: 'Never' });
    await eventually(async () =>
      expect(await keylet.kubectl('get pods late late-never --no-headers')).toMatch(
        /late .* ImagePullBackOff .*\nlate-never .* ErrImageNeverPull /,
      ),
    );
    await secret('later');
    await waitReady(keylet.kubectl, 'late');
    await waitReady(keylet.kubectl, 'late-never');
  });

  test('is for whoever has the same credentials, without asking the registry', async () => {
    await keylet.kubectl('create namespace other');
    await secret('copy', right, 'other');
    const before = registry.requests().length;
    await starts('copied', { secrets: ['copy'], namespace: 'other' });
    expect(await eventsOf(keylet.kubectl, 'copied', 'other')).toContain(
      'already present on machine and can be accessed by the pod',
    );
    expect(registry.requests().length).toBe(before);
  });

  test('stays so after kill -9, and records are for root alone', async () => {
    await startAgain();
    await starts('owner-again', { secrets: ['cred'], policy: 'Never' });
    await isRefused('without-again', {});
    for (const folder of ['pulling', 'pulled']) {
      const dir = path.join(dataDir, 'image_manager', folder);
      expect((await stat(dir)).mode & 0o777).toBe(0o700);
      for (const file of await readdir(dir))
        expect((await stat(path.join(dir, file))).mode & 0o777).toBe(0o600);
    }
  });

  test('a secret that was rotated is still good; one that was made anew must show what it holds', async () => {
    await secret('cred', wrong);
    await starts('rotated', { secrets: ['cred'], policy: 'Never' });
    await keylet.kubectl('delete secret cred');
    await isRefused('deleted', { secrets: ['cred'], policy: 'Never' });
    await secret('cred', wrong);
    await isRefused('anew', { secrets: ['cred'] });
  });

  test('a public one is for everybody', async () => {
    await starts('public', { image: 'busybox' });
    await starts('public-never', { image: 'busybox', policy: 'Never' });
  });
});

describe('imagePullCredentialsVerificationPolicy', () => {
  const own = 'preloaded.test/team/tool:1';

  test('NeverVerifyPreloadedImages, the default: what was imported is for everybody', async () => {
    await preload(own);
    await starts('preloaded', { image: own });
    await starts('preloaded-never', { image: own, policy: 'Never' });
  });

  test('AlwaysVerify: not even that', async () => {
    await startAgain('--image-pull-credentials-verification-policy', 'AlwaysVerify');
    await podOf('verified', { image: own, policy: 'Never' });
    await eventually(async () =>
      expect(await eventsOf(keylet.kubectl, 'verified')).toContain(
        `Warning ErrImageNeverPull: Container image "${own}" is not present with pull policy of Never`,
      ),
    );
    await starts('owner-verified', { secrets: ['later'], policy: 'Never' });
  });

  test('NeverVerifyAllowlistedImages: what is on the list is for everybody', async () => {
    await startAgain(
      '--image-pull-credentials-verification-policy=NeverVerifyAllowlistedImages',
      '--preloaded-images-verification-allowlist=preloaded.test/team/*',
    );
    await starts('allowed', { image: own, policy: 'Never' });
    await isRefused('not-allowed', { policy: 'Never' });
  });

  test('NeverVerify: everything is for everybody, as before Kubernetes 1.35', async () => {
    await startAgain('--image-pull-credentials-verification-policy', 'NeverVerify');
    await starts('unverified', { policy: 'Never' });
  });

  test.each([
    [
      ['--image-pull-credentials-verification-policy', 'Sometimes'],
      "argument 'Sometimes' is invalid. Allowed choices are NeverVerify, NeverVerifyPreloadedImages, NeverVerifyAllowlistedImages, AlwaysVerify.",
    ],
    [
      ['--preloaded-images-verification-allowlist', 'busybox'],
      '--preloaded-images-verification-allowlist has no effect with the policy NeverVerifyPreloadedImages.',
    ],
    [
      [
        '--image-pull-credentials-verification-policy=NeverVerifyAllowlistedImages',
        '--preloaded-images-verification-allowlist=busybox,reg.io/a*',
      ],
      "not a valid wildcard pattern, only patterns ending with '/*' are allowed: reg.io/a*",
    ],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await run(process.execPath, ['bin/keylet.js', 'up', ...args]);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});

describe('no credential is told', () => {
  test('in states, events, logs, process lists, nor on the disk; not even if the registry repeats it', async () => {
    const echo = await startEchoingRegistry();
    try {
      const planted = { user: 'puller', password: 'planted-echo-55aa' };
      await secret('planted-wrong', wrong);
      await keylet.kubectl.apply(pullSecret('planted-echo', echo.address, planted));
      const image = `${echo.address}/team/app:1`;
      await podOf('asks-registry', { secrets: ['planted-wrong'], policy: 'Always' });
      await podOf('asks-echo', { secrets: ['planted-echo'], image });
      await eventually(async () =>
        expect(await keylet.kubectl('get pods asks-registry asks-echo --no-headers')).toMatch(
          /(.*ImagePullBackOff.*\n?){2}/,
        ),
      );
      const shown = [
        await keylet.kubectl('get pods,events -A -o yaml'),
        await keylet.kubectl('describe pods'),
        keylet.output(),
        await mustRun('ps', ['axww', '-o', 'args']),
      ].join('\n');
      // The rest of what the registry said is there.
      expect(shown).toContain('puller:[REDACTED] may not pull (Basic [REDACTED])');
      const words = [right, wrong, planted].flatMap(({ user, password }) => [
        password,
        Buffer.from(`${user}:${password}`).toString('base64').replace(/=+$/, ''),
      ]);
      for (const word of words) expect(shown).not.toContain(word);
      await eventually(async () =>
        expect(await run('grep', ['-rlaE', words.join('|'), dataDir])).toMatchObject({
          code: 1,
          stdout: '',
        }),
      );
    } finally {
      await echo.close();
    }
  });
});

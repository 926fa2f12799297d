import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startKeylet, type Keylet } from '../support/keylet.ts';
import { busyboxPod, eventsOf, secret, waitReady } from '../support/pods.ts';
import { mustRun } from '../support/run.ts';

/** Which files hold one of the words: on the file system of `folder` itself, so not in what is mounted in memory. */
const filesWith = async (folder: string, words: readonly string[]): Promise<string> => {
  const search = `find "$1" -xdev -type f -size -64M -exec grep -laE "$2" {} +; true`;
  return mustRun('sh', ['-c', search, 'sh', folder, words.join('|')]);
};

describe('what is on the disk while secrets are in use', () => {
  const value = 'planted "value" & more\\51c7|x\nsecond ü line';
  const planted = ['planted.{1,3}value.{1,3} & more', 'planted-pull-pass', 'planted-in-url'];
  let keylet: Keylet;
  beforeAll(async () => {
    keylet = await startKeylet({ args: ['--registry-hosts-dir', inject('registryHostsDir')] });
    await keylet.kubectl.apply(secret('s', { KEY: value, URL: 'planted-in-url' }));
    await keylet.kubectl(
      'create secret docker-registry pull --docker-server=r.example --docker-username=u --docker-password=planted-pull-pass',
    );
    await keylet.kubectl.apply(
      busyboxPod('user', {
        spec: {
          imagePullSecrets: [{ name: 'pull' }],
          volumes: [{ name: 'v', secret: { secretName: 's' } }],
        },
        container: {
          command: ['sh', '-c', 'echo started; sleep 3600; true', '$(KEY)'],
          envFrom: [{ secretRef: { name: 's' } }],
          env: [
            { name: 'ONE', valueFrom: { secretKeyRef: { name: 's', key: 'KEY' } } },
            { name: 'JOINED', value: 'proto://$(KEY)@host' },
            { name: 'PLAIN', value: 'seen' },
          ],
          volumeMounts: [{ name: 'v', mountPath: '/v' }],
        },
      }),
    );
    await waitReady(keylet.kubectl, 'user');
  });
  afterAll(() => keylet.stop());

  test('the container has every value, in its environment, its arguments and what is run in it', async () => {
    const { sh } = keylet.kubectl;
    expect(await sh('user', 'printf %s "$KEY"')).toBe(value);
    expect(await sh('user', 'printf %s "$ONE"')).toBe(value);
    expect(await sh('user', 'printf %s "$JOINED"')).toBe(`proto://${value}@host`);
    expect(await sh('user', 'printf %s "$PLAIN"')).toBe('seen');
    expect(await sh('user', 'cat /proc/1/environ')).toContain(`\0ONE=${value}\0`);
    expect(await sh('user', 'cat /proc/1/cmdline')).toContain(`\0${value}\0`);
  });

  test('an error that would tell a value tells a placeholder', async () => {
    const refs = [{ name: 'ONE', valueFrom: { secretKeyRef: { name: 's', key: 'URL' } } }];
    await keylet.kubectl.apply(
      busyboxPod('no-such', {
        spec: { restartPolicy: 'Never' },
        container: { command: ['$(ONE)'], env: refs },
      }),
    );
    await eventually(async () =>
      expect(await keylet.kubectl('get pod no-such -o jsonpath={.status.phase}')).toBe('Failed'),
    );
    const state = await keylet.kubectl(
      'get pod no-such -o jsonpath={.status.containerStatuses[0].state.terminated.reason}',
    );
    expect(state).toBe('StartError');
    await eventually(async () =>
      expect(await eventsOf(keylet.kubectl, 'no-such')).toMatch(
        /Failed: Error: .*exec: .{1,2}keylet:secret:\w+/,
      ),
    );
    const all = `${await eventsOf(keylet.kubectl, 'no-such')}${await keylet.kubectl('get pod no-such -o yaml')}${keylet.output()}`;
    expect(all).not.toContain('planted-in-url');
  });

  test.each(['the data folder', '/run', '/var/log/pods', '/var/tmp'])(
    'no value is in %s',
    async where => {
      const folder = where === 'the data folder' ? keylet.dataDir : where;
      expect(await filesWith(folder, [...planted, ...planted.map(encoded)])).toBe('');
    },
  );
});

/** What the base64 of a text begins with, whatever follows. */
const encoded = (text: string): string =>
  Buffer.from(text.replace('.{1,3}', ' "')).toString('base64').slice(0, 12);

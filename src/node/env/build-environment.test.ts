import { describe, expect, test } from 'vitest';
import type { ConfigMap } from '../../api/core/v1/configmap.ts';
import type { Container, Pod } from '../../api/core/v1/pod.ts';
import type { Secret } from '../../api/core/v1/secret.ts';
import { NotFoundReference } from '../references/not-found-reference.ts';
import {
  buildEnvironment,
  ContainerConfigError,
  type Environment,
  type EnvironmentRequest,
} from './build-environment.ts';

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const secret = (name: string, data: Record<string, string | Buffer>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
});
const configMap = (name: string, data: Record<string, string>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
  binaryData: { raw: base64('raw') },
});
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', labels: { tier: 'db' } },
  spec: { containers: [] },
};
const secrets: Record<string, Secret> = {
  mysecret: secret('mysecret', {
    username: 'admin\n',
    '2alsobad': 'x',
    '1badkey': 'y',
    template: '$(username)',
    bytes: Buffer.from([0xff, 0xfe, 0x24]),
  }),
  other: secret('other', { username: 'other' }),
  nul: secret('nul', { key: 'hush\0hush' }),
};
const configMaps: Record<string, ConfigMap> = {
  config: configMap('config', { username: 'from-config', '3x': 'y', tag: 'ä' }),
};

const build = (
  container: Partial<Container>,
  request: Partial<EnvironmentRequest> = {},
): Promise<Environment> =>
  buildEnvironment({
    pod,
    container: { name: 'c', ...container },
    references: {
      async getSecret(_, name) {
        const found = secrets[name];
        if (name === 'broken') throw new Error('failed to sync secret cache');
        if (found === undefined) throw new NotFoundReference('Secret', name);
        return found;
      },
      async getConfigMap(_, name) {
        const found = configMaps[name];
        if (found === undefined) throw new NotFoundReference('ConfigMap', name);
        return found;
      },
    },
    podIps: ['10.0.0.2'],
    hostIp: '192.168.0.1',
    nodeName: 'n1',
    serviceEnv: {},
    nameRule: 'strict',
    ...request,
  });
const texts = ({ envs }: Environment): Record<string, string> =>
  Object.fromEntries(envs.map(({ key, value }) => [key, Buffer.from(value).toString()]));

describe('buildEnvironment()', () => {
  test('sets every valid key of envFrom, as it is, and tells what it skipped', async () => {
    const environment = await build({ envFrom: [{ secretRef: { name: 'mysecret' } }] });
    expect(texts(environment)).toMatchObject({ username: 'admin\n', template: '$(username)' });
    expect(Object.keys(texts(environment)).toSorted()).toEqual(['bytes', 'template', 'username']);
    expect(environment.skipped).toEqual([
      'Keys [1badkey, 2alsobad] from the EnvFrom secret default/mysecret were skipped since they are considered invalid environment variable names.',
    ]);
  });

  test('judges the name with its prefix', async () => {
    const environment = await build({
      envFrom: [
        { prefix: 'S_', secretRef: { name: 'mysecret' } },
        { prefix: '9', configMapRef: { name: 'config' } },
      ],
    });
    expect(texts(environment)).toMatchObject({ S_1badkey: 'y', S_2alsobad: 'x' });
    expect(environment.skipped).toEqual([
      'Keys [93x, 9tag, 9username] from the EnvFrom configMap default/config were skipped since they are considered invalid environment variable names.',
    ]);
  });

  test('skips nothing under the relaxed rule', async () => {
    const environment = await build(
      { envFrom: [{ secretRef: { name: 'mysecret' } }] },
      { nameRule: 'relaxed' },
    );
    expect(texts(environment)).toMatchObject({ '1badkey': 'y', '2alsobad': 'x' });
    expect(environment.skipped).toEqual([]);
  });

  test('lets later sources win over earlier ones, env over both, all over services', async () => {
    const envFrom = [{ configMapRef: { name: 'config' } }, { secretRef: { name: 'other' } }];
    const serviceEnv = { username: 'service', WEB_SERVICE_HOST: '10.1.1.1' };
    expect(texts(await build({ envFrom }, { serviceEnv }))).toMatchObject({
      username: 'other',
      tag: 'ä',
      WEB_SERVICE_HOST: '10.1.1.1',
    });
    const env = [{ name: 'username', value: 'own' }];
    expect(texts(await build({ envFrom, env }, { serviceEnv }))).toMatchObject({ username: 'own' });
  });

  test('expands values from what comes before, and never those of a secret', async () => {
    const environment = await build(
      {
        envFrom: [{ secretRef: { name: 'other' } }],
        env: [
          { name: 'URL', value: '$(username)@$(HOST)/$(LATER)/$$(username)' },
          { name: 'LATER', value: 'later' },
          {
            name: 'RAW',
            valueFrom: { secretKeyRef: { name: 'mysecret', key: 'template' } },
          },
          { name: 'AGAIN', value: '<$(RAW)>' },
        ],
      },
      { serviceEnv: { HOST: 'h' } },
    );
    expect(texts(environment)).toMatchObject({
      URL: 'other@h/$(LATER)/$(username)',
      RAW: '$(username)',
      AGAIN: '<$(username)>',
    });
    expect(environment.expand('$(URL) $(HOST) $(NONE)')).toBe(
      'other@h/$(LATER)/$(username) h $(NONE)',
    );
  });

  test('keeps bytes that are no UTF-8, also through an expansion', async () => {
    const { envs } = await build({
      env: [
        { name: 'RAW', valueFrom: { secretKeyRef: { name: 'mysecret', key: 'bytes' } } },
        { name: 'TWICE', value: 'ä$(RAW)' },
      ],
    });
    expect(envs.map(({ value }) => Buffer.from(value).toString('hex'))).toEqual([
      'fffe24',
      'c3a4fffe24',
    ]);
  });

  test('sets fields of the pod, resources, and empty values', async () => {
    const environment = await build({
      resources: { limits: { cpu: '2' } },
      env: [
        { name: 'EMPTY' },
        { name: 'TIER', valueFrom: { fieldRef: { fieldPath: "metadata.labels['tier']" } } },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      ],
    });
    expect(texts(environment)).toEqual({ EMPTY: '', TIER: 'db', IP: '10.0.0.2', CPU: '2' });
  });

  test('leaves out what is optional and not there', async () => {
    const environment = await build({
      envFrom: [
        { secretRef: { name: 'none', optional: true } },
        { configMapRef: { name: 'none', optional: true } },
      ],
      env: [
        {
          name: 'A',
          valueFrom: { secretKeyRef: { name: 'none', key: 'k', optional: true } },
        },
        {
          name: 'B',
          valueFrom: { configMapKeyRef: { name: 'config', key: 'none', optional: true } },
        },
      ],
    });
    expect(environment.envs).toEqual([]);
  });

  test.each<{ why: string; container: Partial<Container>; message: string }>([
    {
      why: 'no secret for envFrom',
      container: { envFrom: [{ secretRef: { name: 'none' } }] },
      message: 'secret "none" not found',
    },
    {
      why: 'no configmap',
      container: {
        env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }],
      },
      message: 'configmap "none" not found',
    },
    {
      why: 'no key in the secret',
      container: {
        env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'other', key: 'k' } } }],
      },
      message: "couldn't find key k in Secret default/other",
    },
    {
      why: 'a binary key of a configmap',
      container: {
        env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'config', key: 'raw' } } }],
      },
      message: "couldn't find key raw in ConfigMap default/config",
    },
    {
      why: 'an optional secret that cannot be read',
      container: { envFrom: [{ secretRef: { name: 'broken', optional: true } }] },
      message: 'failed to sync secret cache',
    },
    {
      why: 'a NUL byte',
      container: {
        env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'nul', key: 'key' } } }],
      },
      message:
        'environment variable A: the value of key key in Secret default/nul contains a NUL byte',
    },
  ])('fails on $why', async ({ container, message }) => {
    const failure: unknown = await build(container).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ContainerConfigError);
    expect(failure).toHaveProperty('message', message);
  });
});

test('variables that double one another are refused before they fill the memory', async () => {
  const env = [
    { name: 'A0', value: 'x'.repeat(16) },
    ...Array.from({ length: 40 }, (_, i) => ({ name: `A${i + 1}`, value: `$(A${i})$(A${i})` })),
  ];
  await expect(build({ env })).rejects.toThrow(
    new ContainerConfigError(
      'environment variable A20: the values that take the place of $(NAME) are too long: for one container they may be 16777216 bytes in all',
    ),
  );
});

test('words are refused that repeat a long value very often', async () => {
  const { expand } = await build({ env: [{ name: 'LONG', value: 'x'.repeat(1024 * 1024) }] });
  expect(() => expand('$(LONG)'.repeat(1000))).toThrow(ContainerConfigError);
});

import { expect, test } from 'vitest';
import type { Container } from '../../api/core/v1/pod.ts';
import { buildEnvironment } from './build-environment.ts';

const ofSecret = (name: string, key = 'k') => ({
  name,
  valueFrom: { secretKeyRef: { name: 's', key } },
});
const ofConfig = (name: string) => ({
  name,
  valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } },
});

const data = { k: Buffer.from('v').toString('base64') };
const confidential = async (container: Partial<Container>): Promise<string[]> => {
  const metadata = { namespace: 'default' };
  const built = await buildEnvironment({
    pod: { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [] } },
    container: { name: 'main', ...container },
    references: {
      getSecret: () => Promise.resolve({ apiVersion: 'v1', kind: 'Secret', metadata, data }),
      getConfigMap: () =>
        Promise.resolve({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { k: 'v' } }),
    },
    podIps: [],
    hostIp: '',
    nodeName: 'n',
    serviceEnv: { SERVICE: 'x' },
    nameRule: 'strict',
  });
  return [...built.confidential].toSorted();
};

test.each<[string, Partial<Container>, string[]]>([
  ['a plain value is not', { env: [{ name: 'A', value: 'x' }] }, []],
  [
    'a key of a Secret is, one of a ConfigMap is not',
    { env: [ofSecret('A'), ofConfig('B')] },
    ['A'],
  ],
  [
    'all of envFrom of a Secret',
    { envFrom: [{ prefix: 'P_', secretRef: { name: 's' } }] },
    ['P_k'],
  ],
  ['none of envFrom of a ConfigMap', { envFrom: [{ configMapRef: { name: 'c' } }] }, []],
  [
    'what a ConfigMap overrides is not a Secret’s any more',
    { envFrom: [{ secretRef: { name: 's' } }, { configMapRef: { name: 'c' } }] },
    [],
  ],
  [
    'what env overrides neither',
    { envFrom: [{ secretRef: { name: 's' } }], env: [{ name: 'k', value: 'x' }] },
    [],
  ],
  [
    'what refers to a Secret’s variable is, by any number of steps',
    {
      env: [
        ofSecret('A'),
        { name: 'B', value: 'x$(A)' },
        { name: 'C', value: '$(B)' },
        { name: 'D', value: '$$(A)' },
      ],
    },
    ['A', 'B', 'C'],
  ],
])('confidential: %s', async (_, container, names) => {
  expect(await confidential(container)).toEqual(names);
});

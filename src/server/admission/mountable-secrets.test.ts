import { expect, test } from 'vitest';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { ServiceAccount } from '../../api/core/v1/service-account.ts';
import { unmountableSecret } from './mountable-secrets.ts';

const accountOf = (enforce: string): ServiceAccount => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: {
    name: 'robot',
    annotations: { 'kubernetes.io/enforce-mountable-secrets': enforce },
  },
  secrets: [{ name: 'own' }],
  imagePullSecrets: [{ name: 'pull' }],
});
const podOf = (spec: Partial<Pod['spec']>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c' }], ...spec },
});
const env = (name: string) => [{ name: 'V', valueFrom: { secretKeyRef: { name, key: 'k' } } }];
const because = 'is not allowed because service account robot does not reference that';

test.each([
  [
    { volumes: [{ name: 'v', secret: { secretName: 'other' } }] },
    `volume with secret.secretName="other" ${because} secret`,
  ],
  [
    { initContainers: [{ name: 'i', env: env('other') }] },
    `init container i with envVar V referencing secret.secretName="other" ${because} secret`,
  ],
  [
    { containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'other' } }] }] },
    `container c with envFrom referencing secret.secretName="other" ${because} secret`,
  ],
  [
    { imagePullSecrets: [{ name: 'pull' }, { name: 'own' }] },
    `imagePullSecrets[1].name="own" ${because} imagePullSecret`,
  ],
])('%j is refused', (spec, message) => {
  expect(unmountableSecret(podOf(spec), accountOf('true'))).toBe(message);
  expect(unmountableSecret(podOf(spec), accountOf('yes'))).toBeUndefined();
});

test('what the account lists may be named', () => {
  const spec = {
    volumes: [{ name: 'v', secret: { secretName: 'own' } }],
    containers: [{ name: 'c', env: env('own'), envFrom: [{ secretRef: { name: 'own' } }] }],
    imagePullSecrets: [{ name: 'pull' }],
  };
  expect(unmountableSecret(podOf(spec), accountOf('1'))).toBeUndefined();
});

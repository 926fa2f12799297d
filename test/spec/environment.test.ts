import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startKeylet, type Keylet } from '../support/keylet.ts';
import type { Kubectl } from '../support/kubectl-cli.ts';
import { busyboxPod, eventsOf, secret, waitReady } from '../support/pods.ts';
import { example } from '../support/examples.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

describe("the document's environment example", () => {
  const kubectl = sharedKubectl();
  beforeAll(async () => {
    await kubectl('apply -f -', [], { input: await example('spec/secret.yaml') });
    await kubectl('apply -f -', [], { input: await example('spec/pod-env.yaml') });
    await waitReady(kubectl, 'secret-env-pod');
    return () => kubectl('delete pod/secret-env-pod secret/mysecret');
  });

  test('E1 the variables hold the decoded values', async () => {
    expect(await kubectl.sh('secret-env-pod', 'echo $SECRET_USERNAME')).toBe('admin\n');
    expect(await kubectl.sh('secret-env-pod', 'echo $SECRET_PASSWORD')).toBe('1f2d1e2e67df\n');
  });

  test('E2 each container that wants a key has its own env', async () => {
    const ref = { name: 'U', valueFrom: { secretKeyRef: { name: 'mysecret', key: 'username' } } };
    await kubectl.apply(
      busyboxPod('two-envs', {
        spec: {
          containers: [
            {
              name: 'with',
              image: 'busybox',
              imagePullPolicy: 'IfNotPresent',
              command: ['sleep', '3600'],
              env: [ref],
            },
            {
              name: 'bare',
              image: 'busybox',
              imagePullPolicy: 'IfNotPresent',
              command: ['sleep', '3600'],
            },
          ],
        },
      }),
    );
    await waitReady(kubectl, 'two-envs');
    expect(await kubectl.sh('two-envs', 'echo [$U]', { container: 'with' })).toBe('[admin]\n');
    expect(await kubectl.sh('two-envs', 'echo [$U]', { container: 'bare' })).toBe('[]\n');
    await kubectl('delete pod two-envs');
  });
});

const badKeys = {
  '1badkey': 'x',
  '2alsobad': 'y',
  GOOD: 'fine',
};
const envFromPod = (namespace: string): object =>
  busyboxPod('dapi-test-pod', {
    namespace,
    container: { envFrom: [{ secretRef: { name: 'mysecret' } }] },
  });
const environment = (kubectl: Kubectl, namespace: string): Promise<string> =>
  // A shell drops what it could not have set itself: process 1 has all that it was given.
  kubectl.sh('dapi-test-pod', "tr '\\0' '\\n' < /proc/1/environ", { namespace });

describe('keys that are no names of variables', () => {
  const kubectl = sharedKubectl();

  test('E3 are skipped, with the event of the document, and the pod starts', async () => {
    await kubectl.apply(secret('mysecret', badKeys), envFromPod('default'));
    await waitReady(kubectl, 'dapi-test-pod');
    const names = await environment(kubectl, 'default');
    expect(names).toContain('GOOD=fine');
    expect(names).not.toMatch(/badkey|alsobad/);
    await eventually(async () =>
      expect(await kubectl('get events')).toMatch(
        /Warning\s+InvalidEnvironmentVariableNames\s+pod\/dapi-test-pod\s+Keys \[1badkey, 2alsobad\] from the EnvFrom secret default\/mysecret were skipped since they are considered invalid environment variable names\./,
      ),
    );
    const node = await kubectl('get nodes -o jsonpath={.items[0].metadata.name}');
    const source = await kubectl(
      'get events --field-selector reason=InvalidEnvironmentVariableNames -o',
      ['jsonpath={.items[0].source.component}, {.items[0].source.host}'],
    );
    expect(source).toBe(`kubelet, ${node}`);
    await kubectl('delete pod/dapi-test-pod secret/mysecret');
  });

  test('E4 a prefix can make them good', async () => {
    const namespace = await freshNamespace(kubectl, 'spec-env');
    await kubectl.apply(
      secret('mysecret', badKeys, { namespace }),
      busyboxPod('dapi-test-pod', {
        namespace,
        container: { envFrom: [{ prefix: 'P_', secretRef: { name: 'mysecret' } }] },
      }),
    );
    await waitReady(kubectl, 'dapi-test-pod', namespace);
    expect(await environment(kubectl, namespace)).toContain('P_1badkey=x');
    expect(await eventsOf(kubectl, 'dapi-test-pod', namespace)).not.toContain('Invalid');
    await kubectl(`delete namespace ${namespace}`);
  });
});

describe("today's relaxed rule, a setting", () => {
  let keylet: Keylet;
  beforeAll(async () => {
    keylet = await startKeylet({
      args: ['--env-names', 'relaxed', '--registry-hosts-dir', inject('registryHostsDir')],
    });
  });
  afterAll(() => keylet.stop());

  test('E5 every key becomes a variable', async () => {
    const { kubectl } = keylet;
    await kubectl.apply(secret('mysecret', badKeys), envFromPod('default'));
    await waitReady(kubectl, 'dapi-test-pod');
    const names = await environment(kubectl, 'default');
    expect(names).toContain('1badkey=x');
    expect(names).toContain('2alsobad=y');
  });
});

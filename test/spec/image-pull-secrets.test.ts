import { beforeEach, describe, expect, inject, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { busyboxPod, eventsOf, waitReady } from '../support/pods.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();
const registry = inject('privateRegistry');
const user = inject('registryUser');
const password = inject('registryPassword');

describe('imagePullSecrets', () => {
  let namespace: string;
  beforeEach(async () => {
    namespace = await freshNamespace(kubectl, 'spec-pull');
    return () => kubectl(`delete namespace ${namespace} --wait=false`);
  });

  const privatePod = (name: string, spec: object = {}): object =>
    busyboxPod(name, {
      namespace,
      spec,
      container: { image: `${registry}/private/busybox:1`, imagePullPolicy: 'Always' },
    });
  const createDockerRegistry = (name: string): Promise<string> =>
    kubectl(`create secret docker-registry ${name} -n ${namespace}`, [
      `--docker-server=${registry}`,
      `--docker-username=${user}`,
      `--docker-password=${password}`,
    ]);

  const givePullSecrets = (account: string, ...names: string[]): Promise<string> =>
    kubectl(`patch serviceaccount ${account} -n ${namespace} -p`, [
      JSON.stringify({ imagePullSecrets: names.map(name => ({ name })) }),
      '--type=merge',
    ]);
  const pullSecretsOf = (pod: string): Promise<string> =>
    kubectl(`get pod ${pod} -n ${namespace} -o jsonpath={.spec.imagePullSecrets[*].name}`);

  test('P1 without a secret the private image is refused; the pod starts once the secret is made', async () => {
    await kubectl.apply(privatePod('needs', { imagePullSecrets: [{ name: 'regcred' }] }));
    await eventually(async () => {
      const events = await eventsOf(kubectl, 'needs', namespace);
      expect(events).toMatch(/Warning Failed: Failed to pull image ".*private\/busybox:1"/);
      expect(events).toContain('Warning Failed: Error: ErrImagePull');
      expect(events).toContain(
        'Warning FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.',
      );
    });
    await createDockerRegistry('regcred');
    await waitReady(kubectl, 'needs', namespace);
  });

  test('P2 a manually given kubernetes.io/dockerconfigjson secret pulls the image', async () => {
    await createDockerRegistry('regcred');
    await kubectl.apply(privatePod('json', { imagePullSecrets: [{ name: 'regcred' }] }));
    await waitReady(kubectl, 'json', namespace);
    expect(await eventsOf(kubectl, 'json', namespace)).toContain('Successfully pulled image');
  });

  test('P3 so does the old kubernetes.io/dockercfg', async () => {
    const auth = Buffer.from(`${user}:${password}`).toString('base64');
    await kubectl.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'old', namespace },
      type: 'kubernetes.io/dockercfg',
      stringData: { '.dockercfg': JSON.stringify({ [registry]: { auth } }) },
    });
    await kubectl.apply(privatePod('cfg', { imagePullSecrets: [{ name: 'old' }] }));
    await waitReady(kubectl, 'cfg', namespace);
  });

  test('P4 the credentials stay outside: the pod sees no trace of them', async () => {
    await createDockerRegistry('regcred');
    await kubectl.apply(privatePod('blind', { imagePullSecrets: [{ name: 'regcred' }] }));
    await waitReady(kubectl, 'blind', namespace);
    expect(await kubectl.sh('blind', 'env; cat /proc/mounts', { namespace })).not.toMatch(
      new RegExp(`${password}|regcred`),
    );
  });

  test('P5 pods that use, or default to, a service account get its imagePullSecrets', async () => {
    await createDockerRegistry('regcred');
    await kubectl(`create serviceaccount puller -n ${namespace}`);
    for (const account of ['puller', 'default']) await givePullSecrets(account, 'regcred');
    await kubectl.apply(privatePod('named', { serviceAccountName: 'puller' }), privatePod('dflt'));
    for (const pod of ['named', 'dflt']) {
      await waitReady(kubectl, pod, namespace);
      expect(await pullSecretsOf(pod)).toBe('regcred');
    }
  });

  test('P6 an account gives what it has when the pod is made, and only to a pod that names none', async () => {
    await createDockerRegistry('regcred');
    await kubectl.apply(privatePod('before', {}));
    await givePullSecrets('default', 'one', 'regcred');
    await kubectl.apply(
      privatePod('after', {}),
      privatePod('own', { imagePullSecrets: [{ name: 'regcred' }] }),
      privatePod('none', { imagePullSecrets: [] }),
    );
    expect(await pullSecretsOf('before')).toBe('');
    expect(await pullSecretsOf('after')).toBe('one regcred');
    expect(await pullSecretsOf('own')).toBe('regcred');
    expect(await pullSecretsOf('none')).toBe('one regcred');
    await givePullSecrets('default');
    expect(await pullSecretsOf('after')).toBe('one regcred');
    for (const pod of ['after', 'own', 'none']) await waitReady(kubectl, pod, namespace);
    await eventually(async () =>
      expect(await eventsOf(kubectl, 'before', namespace)).toContain('Error: ErrImagePull'),
    );
  });
});

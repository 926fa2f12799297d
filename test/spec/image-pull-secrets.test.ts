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
    for (const account of ['puller', 'default']) {
      await kubectl(`patch serviceaccount ${account} -n ${namespace} -p`, [
        '{"imagePullSecrets":[{"name":"regcred"}]}',
      ]);
    }
    await kubectl.apply(privatePod('named', { serviceAccountName: 'puller' }), privatePod('dflt'));
    for (const pod of ['named', 'dflt']) {
      await waitReady(kubectl, pod, namespace);
      expect(
        await kubectl(
          `get pod ${pod} -n ${namespace} -o jsonpath={.spec.imagePullSecrets[*].name}`,
        ),
      ).toBe('regcred');
    }
  });
});

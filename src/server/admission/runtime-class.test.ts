import { expect, test } from 'vitest';
import { podResource, type Pod } from '../../api/core/v1/pod.ts';
import type { AdmissionRequest } from './admission.ts';
import { runtimeClass } from './runtime-class.ts';

const newPod = (spec: Partial<Pod['spec']>): AdmissionRequest =>
  ({
    operation: 'create',
    descriptor: podResource,
    subresource: '',
    namespace: 'ns',
    name: 'p',
    object: { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { containers: [], ...spec } },
  }) as unknown as AdmissionRequest;

test('a pod that asks for a runtime class is refused: there are none', async () => {
  await expect(runtimeClass(newPod({ runtimeClassName: 'gvisor' }))).rejects.toMatchObject({
    code: 403,
    message: 'pods "p" is forbidden: pod rejected: RuntimeClass "gvisor" not found',
  });
});

test('a pod that asks for none is let in', async () => {
  await expect(runtimeClass(newPod({}))).resolves.toBeUndefined();
});

import { expect, test } from 'vitest';
import { podResource, type Pod } from '../pod.ts';

const mirror = 'kubernetes.io/config.mirror';
const appArmor = 'container.apparmor.security.beta.kubernetes.io/c';
const pod = (annotations?: Record<string, string>, nodeName?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', ...(annotations === undefined ? {} : { annotations }) },
  spec: {
    containers: [{ name: 'c', image: 'i' }],
    ...(nodeName === undefined ? {} : { nodeName }),
  },
});

test.each([
  [
    'adds the mirror annotation',
    {},
    { [mirror]: 'x' },
    `metadata.annotations[${mirror}]: Forbidden: may not add mirror pod annotation`,
  ],
  [
    'changes it',
    { [mirror]: 'x' },
    { [mirror]: 'y' },
    `metadata.annotations[${mirror}]: Forbidden: may not remove or update mirror pod annotation`,
  ],
  [
    'removes it',
    { [mirror]: 'x' },
    undefined,
    `metadata.annotations[${mirror}]: Forbidden: may not remove or update mirror pod annotation`,
  ],
  [
    'adds an AppArmor annotation',
    {},
    { [appArmor]: 'unconfined' },
    `metadata.annotations[${appArmor}]: Forbidden: may not add AppArmor annotations`,
  ],
  ['keeps it', { [mirror]: 'x' }, { [mirror]: 'x', other: 'y' }, undefined],
  ['changes others', { other: 'x' }, { another: 'y' }, undefined],
])('an update that %s, of the pod or of its status', (_, before, after, refusal) => {
  for (const strategy of [podResource.update, podResource.subresources?.['status']?.update]) {
    const errors = strategy?.validateUpdate(pod(after), pod(before)) ?? [];
    expect(errors.map(each => `${each.field}: ${each.message}`)).toEqual(
      refusal === undefined ? [] : [refusal],
    );
  }
});

test('a mirror pod names its node', () => {
  const errors = (nodeName?: string) =>
    (podResource.validateCreate?.(pod({ [mirror]: 'x' }, nodeName)) ?? []).map(
      each => `${each.field}: ${each.message}`,
    );
  expect(errors('n1')).toEqual([]);
  expect(errors()).toEqual([
    `metadata.annotations[${mirror}]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set`,
  ]);
});

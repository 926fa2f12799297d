import { expect, test } from 'vitest';
import { defaultConfiguration, readConfiguration } from './configuration.ts';

const head = {
  apiVersion: 'pod-security.admission.config.k8s.io/v1',
  kind: 'PodSecurityConfiguration',
};

test('defaults are those of Kubernetes', () => {
  expect(readConfiguration(head)).toEqual(defaultConfiguration());
  expect(readConfiguration({ ...head, defaults: { enforce: 'baseline' } })).toEqual(
    defaultConfiguration('baseline'),
  );
});

test('reads every field', () => {
  const defaults = {
    enforce: 'baseline',
    'enforce-version': 'v1.7',
    audit: 'restricted',
    'audit-version': 'latest',
    warn: 'restricted',
    'warn-version': 'v1.30',
  };
  const exemptions = {
    usernames: ['alice', 'system:serviceaccount:a:b'],
    namespaces: ['kube-system'],
    runtimeClasses: ['special'],
  };
  expect(readConfiguration({ ...head, defaults, exemptions })).toEqual({
    defaults: {
      enforce: { level: 'baseline', version: 7 },
      audit: { level: 'restricted', version: 'latest' },
      warn: { level: 'restricted', version: 30 },
    },
    exemptions: {
      usernames: new Set(['alice', 'system:serviceaccount:a:b']),
      namespaces: new Set(['kube-system']),
      runtimeClasses: new Set(['special']),
    },
  });
});

test.each([
  [{ kind: head.kind }, "Object 'apiVersion' is missing"],
  [{ apiVersion: head.apiVersion }, "Object 'Kind' is missing"],
  [
    { ...head, apiVersion: 'pod-security.admission.config.k8s.io/v99' },
    'no kind "PodSecurityConfiguration" is registered for version "pod-security.admission.config.k8s.io/v99": expected kind "PodSecurityConfiguration" of version "pod-security.admission.config.k8s.io/v1"',
  ],
  [{ ...head, deflaults: {} }, 'unknown field "deflaults"'],
  [{ ...head, defaults: { enforced: 'baseline' } }, 'unknown field "defaults.enforced"'],
  [
    { ...head, defaults: { enforce: 'strict', 'warn-version': '1.2' } },
    'defaults.enforce: Invalid value: "strict": must be one of privileged, baseline, restricted; defaults.warn-version: Invalid value: "1.2": must be "latest" or "v1.x"',
  ],
  [
    { ...head, exemptions: { namespaces: ['a', 'a'], usernames: [''] } },
    'exemptions.namespaces[1]: Duplicate value: "a"; exemptions.usernames[0]: Required value',
  ],
])('%j is refused', (value, message) => {
  expect(() => readConfiguration(value)).toThrow(message);
});

test.each([[null], ['text'], [[]], [{ ...head, defaults: 'baseline' }]])(
  '%j has the wrong type',
  value => {
    expect(() => readConfiguration(value)).toThrow(/cannot unmarshal/);
  },
);

import { expect, test } from 'vitest';
import type { Pod } from '../../api/core/v1/pod.ts';
import { fieldValue } from './field-ref.ts';
import { resourceValue } from './resource-field-ref.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'p',
    namespace: 'ns',
    uid: 'u-1',
    labels: { b: 'two', a: 'one' },
    annotations: { 'x.io/y': 'line\n"quoted"\u0001' },
  },
  spec: { containers: [], serviceAccountName: 'sa', nodeName: 'n1' },
};
const place = { podIps: ['10.0.0.2', 'fd00::2'], hostIp: '192.168.0.1', nodeName: 'n1' };

test.each([
  ['metadata.name', 'p'],
  ['metadata.namespace', 'ns'],
  ['metadata.uid', 'u-1'],
  ["metadata.labels['a']", 'one'],
  ["metadata.labels['none']", ''],
  ["metadata.annotations['x.io/y']", 'line\n"quoted"\u0001'],
  ['metadata.labels', 'a="one"\nb="two"'],
  ['metadata.annotations', 'x.io/y="line\\n\\"quoted\\"\\x01"'],
  ['spec.nodeName', 'n1'],
  ['spec.serviceAccountName', 'sa'],
  ['status.hostIP', '192.168.0.1'],
  ['status.podIP', '10.0.0.2'],
  ['status.podIPs', '10.0.0.2,fd00::2'],
])('fieldValue() of %s', (fieldPath, expected) => {
  expect(fieldValue(pod, fieldPath, place)).toBe(expected);
});

test.each(['status.phase', 'toString', "spec.labels['a']"])(
  'fieldValue() refuses %s',
  fieldPath => {
    expect(() => fieldValue(pod, fieldPath, place)).toThrow(`unsupported fieldPath: ${fieldPath}`);
  },
);

const container = {
  resources: {
    requests: { cpu: '250m', memory: '64Mi' },
    limits: { cpu: '1500m', memory: '100M' },
  },
};
test.each([
  ['requests.cpu', undefined, '1'],
  ['requests.cpu', '1m', '250'],
  ['limits.cpu', '1', '2'],
  ['requests.memory', '1Mi', '64'],
  ['limits.memory', '0', '100000000'],
  ['limits.memory', '1Mi', '96'],
  ['requests.ephemeral-storage', undefined, '0'],
])('resourceValue() of %s in units of %s', (resource, divisor, expected) => {
  expect(resourceValue(container, { resource, divisor })).toBe(expected);
});

test("resourceValue() of a limit that is not set is the node's", () => {
  expect(Number(resourceValue({}, { resource: 'limits.memory' }))).toBeGreaterThan(1024 ** 2);
  expect(
    Number(resourceValue({}, { resource: 'limits.cpu', divisor: '1m' })),
  ).toBeGreaterThanOrEqual(1000);
  expect(resourceValue({}, { resource: 'requests.cpu' })).toBe('0');
});

test('resourceValue() refuses what is no resource', () => {
  expect(() => resourceValue({}, { resource: 'limits.gpu' })).toThrow(
    'Unsupported container resource : limits.gpu',
  );
});

import { expect, test } from 'vitest';
import { policyFromLabels, policyText, type Policy } from './policy.ts';

const defaults: Policy = {
  enforce: { level: 'baseline', version: 30 },
  audit: { level: 'privileged', version: 'latest' },
  warn: { level: 'privileged', version: 'latest' },
};
const read = (labels: Record<string, string>) => {
  const prefixed = Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]),
  );
  const { policy, errors } = policyFromLabels(prefixed, defaults);
  const { enforce, audit, warn } = policy;
  return {
    policy: [enforce, audit, warn].map(policyText),
    errors: errors.map(({ field, message }) => `${field}: ${message}`),
  };
};

test('each label overrides its default', () => {
  expect(read({}).policy).toEqual(['baseline:v1.30', 'privileged:latest', 'privileged:latest']);
  expect(
    read({
      enforce: 'restricted',
      'audit-version': 'v1.0',
      warn: 'baseline',
      'warn-version': 'v1.25',
    }),
  ).toEqual({ policy: ['restricted:v1.30', 'privileged:v1.0', 'baseline:v1.25'], errors: [] });
  expect(read({ 'enforce-version': 'latest' }).policy[0]).toBe('baseline:latest');
});

test('invalid labels are reported; enforce fails closed, warn and audit fail open', () => {
  expect(
    read({
      enforce: 'Restricted',
      'enforce-version': '1.25',
      audit: '',
      warn: 'x',
      'warn-version': 'v1.01',
    }),
  ).toEqual({
    policy: ['restricted:latest', 'privileged:latest', 'privileged:latest'],
    errors: [
      'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "Restricted": must be one of privileged, baseline, restricted',
      'metadata.labels[pod-security.kubernetes.io/enforce-version]: Invalid value: "1.25": must be "latest" or "v1.x"',
      'metadata.labels[pod-security.kubernetes.io/audit]: Invalid value: "": must be one of privileged, baseline, restricted',
      'metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: "x": must be one of privileged, baseline, restricted',
      'metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "v1.01": must be "latest" or "v1.x"',
    ],
  });
});

test.each(['v2.0', 'v1', 'v1.-1', ' v1.2', 'v1.2 ', 'v1.99999999999999999999', 'Latest'])(
  'the version %j is invalid',
  version => {
    expect(read({ 'enforce-version': version }).errors).toHaveLength(1);
  },
);

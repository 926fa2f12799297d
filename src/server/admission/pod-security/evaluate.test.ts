import { expect, test } from 'vitest';
import type { PodToCheck } from './check.ts';
import { detailsText, evaluatePod, reasonsText } from './evaluate.ts';
import type { PolicyVersion } from './policy.ts';

const pod: PodToCheck = {
  metadata: {},
  spec: {
    hostPID: true,
    containers: [
      { name: 'a', securityContext: { privileged: true, capabilities: { add: ['NET_ADMIN'] } } },
    ],
    volumes: [{ name: 'v', hostPath: { path: '/' } }],
  },
};
const reasons = (level: 'privileged' | 'baseline' | 'restricted', version: PolicyVersion): string =>
  reasonsText(evaluatePod({ level, version }, pod));

test('each level reports everything it forbids, without overlap', () => {
  expect(reasons('privileged', 'latest')).toBe('');
  expect(reasons('baseline', 'latest')).toBe(
    'non-default capabilities, host namespaces, hostPath volumes, privileged',
  );
  expect(reasons('restricted', 'latest')).toBe(
    'host namespaces, privileged, allowPrivilegeEscalation != false, unrestricted capabilities, restricted volume types, runAsNonRoot != true, seccompProfile',
  );
});

test('an old version has its own rules, a future one the newest', () => {
  expect(reasons('restricted', 7)).toBe(
    'non-default capabilities, host namespaces, privileged, restricted volume types, runAsNonRoot != true',
  );
  expect(reasons('restricted', 4711)).toBe(reasons('restricted', 'latest'));
});

test('details follow in parentheses', () => {
  expect(detailsText(evaluatePod({ level: 'baseline', version: 'latest' }, pod))).toBe(
    'non-default capabilities (container "a" must not include "NET_ADMIN" in securityContext.capabilities.add), host namespaces (hostPID=true), hostPath volumes (volume "v"), privileged (container "a" must not set securityContext.privileged=true)',
  );
});

test('an incomplete pod does not break evaluation', () => {
  const half = { metadata: {}, spec: {} } as unknown as PodToCheck;
  expect(reasonsText(evaluatePod({ level: 'restricted', version: 'latest' }, half))).toBe('');
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { defaultConfiguration } from '../server/admission/pod-security/configuration.ts';
import { readAdmissionConfig } from './admission-config.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'keylet-admission-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  const full = path.join(folder, name);
  writeFileSync(full, text);
  return full;
};
const configuration = `apiVersion: pod-security.admission.config.k8s.io/v1
kind: PodSecurityConfiguration
defaults:
  enforce: baseline
`;
const wrapped = (plugin: string): string => `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- ${plugin}
`;

test('the configuration may be the file itself, inline, or in another file', () => {
  const inner = file('inner.yaml', configuration);
  const inline = `{name: PodSecurity, configuration: {apiVersion: pod-security.admission.config.k8s.io/v1, kind: PodSecurityConfiguration, defaults: {enforce: baseline}}}`;
  const expected = defaultConfiguration('baseline');
  expect(readAdmissionConfig(inner)).toEqual(expected);
  expect(readAdmissionConfig(file('inline.yaml', wrapped(inline)))).toEqual(expected);
  const relative = wrapped('{name: PodSecurity, path: inner.yaml}');
  expect(readAdmissionConfig(file('relative.yaml', relative))).toEqual(expected);
});

test.each([
  ['', 'expected one document'],
  ['a: [', 'error converting YAML to JSON'],
  ['kind: PodSecurityConfiguration', "Object 'apiVersion' is missing"],
  [
    wrapped('{name: EventRateLimit, path: x}'),
    'plugins[0].name: Unsupported value: "EventRateLimit": supported values: "PodSecurity"',
  ],
  [wrapped('{name: PodSecurity}'), 'plugins[0]: expected either path or configuration'],
  [
    wrapped('{name: PodSecurity, path: x}').replace('/v1', '/v9'),
    'apiVersion: "apiserver.config.k8s.io/v9": expected "apiserver.config.k8s.io/v1"',
  ],
  [wrapped('{name: PodSecurity, path: none.yaml}'), 'none.yaml: ENOENT'],
])('%j is refused with the name of the file', (text, message) => {
  const name = file('bad.yaml', text);
  expect(() => readAdmissionConfig(name)).toThrow(message);
  expect(() => readAdmissionConfig(name)).toThrow(folder);
});

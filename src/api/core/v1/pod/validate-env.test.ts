import { describe, expect, test } from 'vitest';
import { path, type FieldError } from '../../../../machinery/field-error.ts';
import type { EnvFromSource, EnvVar } from './env-schema.ts';
import { validateEnv, validateEnvFrom } from './validate-env.ts';

const texts = (errors: readonly FieldError[]): string[] =>
  errors.map(each => `${each.field}: ${each.message}`);
const envErrors = (variable: EnvVar): string[] => texts(validateEnv([variable], path('env')));
const secretKey = (name: string, key: string): EnvVar => ({
  name: 'A',
  valueFrom: { secretKeyRef: { name, key } },
});
const notSubdomain = (name: string): string =>
  `Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
const notPrintable =
  "a valid environment variable name must consist only of printable ASCII characters other than '='";

describe('validateEnv()', () => {
  test.each(['A', '_x', 'my.env-name', '1badkey', '$_-data-1', '#@!data-1', '__proto__', ' '])(
    'the name %j is one, now or of old',
    name => {
      expect(envErrors({ name, value: 'x' })).toEqual([]);
    },
  );

  const cases: [string, EnvVar, string[]][] = [
    ['no name', { name: '' }, ['env[0].name: Required value']],
    ['an equals sign', { name: 'a=b' }, [`env[0].name: Invalid value: "a=b": ${notPrintable}`]],
    ['a line break', { name: 'a\nb' }, [`env[0].name: Invalid value: "a\\nb": ${notPrintable}`]],
    ['a letter beyond ASCII', { name: 'ä' }, [`env[0].name: Invalid value: "ä": ${notPrintable}`]],
    [
      'no name of the secret',
      secretKey('', 'k'),
      [`env[0].valueFrom.secretKeyRef.name: ${notSubdomain('')}`],
    ],
    [
      'a name that is none',
      secretKey('My', 'k'),
      [`env[0].valueFrom.secretKeyRef.name: ${notSubdomain('My')}`],
    ],
    ['no key', secretKey('s', ''), ['env[0].valueFrom.secretKeyRef.key: Required value']],
    [
      'a key that is none',
      secretKey('s', 'a/b'),
      [
        "env[0].valueFrom.secretKeyRef.key: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      ],
    ],
    [
      'a field that is none',
      { name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'spec.secret' } } },
      [
        'env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.secret": error converting fieldPath: field label not supported: spec.secret',
      ],
    ],
    [
      'a field that is for others',
      { name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.labels' } } },
      [
        'env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
      ],
    ],
    [
      'a subscript where there is none',
      { name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "spec.nodeName['x']" } } },
      [
        "env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.nodeName['x']\": error converting fieldPath: field label does not support subscript: spec.nodeName['x']",
      ],
    ],
    [
      'a resource that is none',
      { name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } },
      [
        'env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
      ],
    ],
    [
      'a divisor that is none',
      { name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } } },
      [
        'env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource',
      ],
    ],
    [
      'a label by its key',
      {
        name: 'A',
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.labels['a/b']" } },
      },
      [],
    ],
  ];
  test.each(cases)('%s', (_title, variable, errors) => {
    expect(envErrors(variable)).toEqual(errors);
  });
});

describe('validateEnvFrom()', () => {
  const cases: [string, EnvFromSource, string[]][] = [
    ['a secret with a prefix', { prefix: 'P_', secretRef: { name: 's' } }, []],
    ['a prefix that begins with a digit', { prefix: '1', secretRef: { name: 's' } }, []],
    ['a name with a trailing dash', { secretRef: { name: 's-' } }, []],
    [
      'a prefix with an equals sign',
      { prefix: 'a=', secretRef: { name: 's' } },
      [`envFrom[0].prefix: Invalid value: "a=": ${notPrintable}`],
    ],
    [
      'no source',
      {},
      ['envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'],
    ],
    [
      'two sources',
      { secretRef: { name: 's' }, configMapRef: { name: 'c' } },
      ['envFrom: Invalid value: "": may not have more than one field specified at a time'],
    ],
    ['no name', { secretRef: {} }, ['envFrom[0].secretRef.name: Required value']],
    [
      'a name that is none',
      { configMapRef: { name: 'My' } },
      [`envFrom[0].configMapRef.name: ${notSubdomain('My')}`],
    ],
  ];
  test.each(cases)('%s', (_title, source, errors) => {
    expect(texts(validateEnvFrom([source], path('envFrom')))).toEqual(errors);
  });
});

import { describe, expect, test } from 'vitest';
import { path, type FieldError } from '../../../../machinery/field-error.ts';
import { validateMounts } from './validate-mounts.ts';
import { validateVolumes } from './validate-volumes.ts';
import type { Volume, VolumeMount, VolumeProjection } from './volume-schema.ts';

const texts = (errors: readonly FieldError[]): string[] =>
  errors.map(each => `${each.field}: ${each.message}`);
const volumeErrors = (...volumes: Volume[]): string[] =>
  texts(validateVolumes(volumes, path('volumes')).errors);
const secret = (source: Volume['secret'], name = 'v'): Volume => ({ name, secret: source });
const item = (more: object): Volume =>
  secret({ secretName: 's', items: [{ key: 'k', path: 'p', ...more }] });
const projected = (...sources: VolumeProjection[]): Volume => ({
  name: 'v',
  projected: { sources },
});
const mode = 'must be a number between 0 and 0777 (octal), both inclusive';

describe('validateVolumes()', () => {
  const cases: [string, Volume[], string[]][] = [
    [
      'a secret of a name that is no name: nothing looks for it here',
      [secret({ secretName: 'Not A Name' })],
      [],
    ],
    [
      'types that are not supported',
      [
        { name: 'v', ephemeral: {} },
        { name: 'w', emptyDir: {}, image: {} },
      ],
      [
        'volumes[0].ephemeral: Forbidden: Keylet does not support this volume type',
        'volumes[1].image: Forbidden: Keylet does not support this volume type',
      ],
    ],
    ['no name', [secret({})], ['volumes[0].secret.secretName: Required value']],
    [
      '0, 0400 and 0777',
      [
        secret({ secretName: 's', defaultMode: 0 }),
        secret({ secretName: 's', defaultMode: 0o400 }, 'w'),
        secret({ secretName: 's', defaultMode: 0o777 }, 'x'),
      ],
      [],
    ],
    [
      'a mode over 0777',
      [secret({ secretName: 's', defaultMode: 600 })],
      [`volumes[0].secret.defaultMode: Invalid value: 600: ${mode}`],
    ],
    [
      'a mode under 0',
      [item({ mode: -1 })],
      [`volumes[0].secret.items[0].mode: Invalid value: -1: ${mode}`],
    ],
    ['a key that no secret can have: nothing looks for it here', [item({ key: 'a/b' })], []],
    [
      'neither key nor path',
      [item({ key: '', path: '' })],
      [
        'volumes[0].secret.items[0].key: Required value',
        'volumes[0].secret.items[0].path: Required value',
      ],
    ],
    [
      'one path twice, which the last item wins',
      [
        secret({
          secretName: 's',
          items: [
            { key: 'a', path: 'p' },
            { key: 'b', path: 'p' },
          ],
        }),
      ],
      [],
    ],
    ...(['foo..bar', '.foo', 'a/..b', 'a//b'] as const).map(
      (target): [string, Volume[], string[]] => [
        `the path ${target}`,
        [item({ path: target })],
        [],
      ],
    ),
    [
      'an absolute path',
      [item({ path: '/a' })],
      ['volumes[0].secret.items[0].path: Invalid value: "/a": must be a relative path'],
    ],
    [
      'a path that climbs',
      [item({ path: 'a/../../b' })],
      [`volumes[0].secret.items[0].path: Invalid value: "a/../../b": must not contain '..'`],
    ],
    [
      '../x',
      [item({ path: '../x' })],
      [`volumes[0].secret.items[0].path: Invalid value: "../x": must not contain '..'`],
    ],
    [
      '..',
      [item({ path: '..' })],
      [
        `volumes[0].secret.items[0].path: Invalid value: "..": must not contain '..'`,
        `volumes[0].secret.items[0].path: Invalid value: "..": must not start with '..'`,
      ],
    ],
    [
      '..foo',
      [item({ path: '..foo' })],
      [`volumes[0].secret.items[0].path: Invalid value: "..foo": must not start with '..'`],
    ],
    ['no source', [{ name: 'v' }], ['volumes[0]: Required value: must specify a volume type']],
    [
      'two sources: the first counts',
      [{ name: 'v', secret: { secretName: 's' }, configMap: {}, emptyDir: {} }],
      [
        'volumes[0].secret: Forbidden: may not specify more than 1 volume type',
        'volumes[0].configMap: Forbidden: may not specify more than 1 volume type',
      ],
    ],
    [
      'one name twice',
      [secret({ secretName: 's' }), secret({ secretName: 's' })],
      ['volumes[1].name: Duplicate value: "v"'],
    ],
    [
      'a source of a projected volume without its name',
      [projected({ secret: {} })],
      ['volumes[0].projected.sources[0].secret.name: Required value'],
    ],
    [
      'two kinds in one source',
      [projected({ secret: { name: 's' }, configMap: { name: 'c' } })],
      [
        'volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source',
      ],
    ],
    [
      'one path from two sources',
      [
        projected(
          { secret: { name: 'a', items: [{ key: 'k', path: 'p' }] } },
          { configMap: { name: 'b', items: [{ key: 'k', path: 'p' }] } },
        ),
      ],
      ['volumes[0].projected: Invalid value: "b": conflicting duplicate paths'],
    ],
    [
      'a path that a whole secret may have too',
      [
        projected(
          { secret: { name: 'a' } },
          { secret: { name: 'b', items: [{ key: 'k', path: 'k' }] } },
        ),
      ],
      [],
    ],
    [
      'a token for nine minutes',
      [projected({ serviceAccountToken: { path: 't', expirationSeconds: 540 } })],
      [
        'volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 540: may not specify a duration less than 10 minutes',
      ],
    ],
    [
      'a token for ever',
      [projected({ serviceAccountToken: { path: 't', expirationSeconds: 2 ** 32 + 1 } })],
      [
        'volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
      ],
    ],
    [
      'a token without its path',
      [projected({ serviceAccountToken: { path: '' } })],
      ['volumes[0].projected.path: Required value'],
    ],
    [
      'a downward field of other places',
      [
        {
          name: 'v',
          downwardAPI: {
            items: [{ path: 'p', fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } }],
          },
        },
      ],
      [
        'volumes[0].downwardAPI.fieldRef.fieldPath: Unsupported value: "status.podIP": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
      ],
    ],
    [
      'a downward resource without its container',
      [
        {
          name: 'v',
          downwardAPI: { items: [{ path: 'p', resourceFieldRef: { resource: 'limits.cpu' } }] },
        },
      ],
      ['volumes[0].downwardAPI.resourceFieldRef.containerName: Required value'],
    ],
  ];
  test.each(cases)('%s', (_title, volumes, errors) => {
    expect(volumeErrors(...volumes)).toEqual(errors);
  });
});

describe('validateMounts()', () => {
  const { good } = validateVolumes(
    [secret({ secretName: 's' }), secret({}, 'bad')],
    path('volumes'),
  );
  const mountErrors = (...mounts: Partial<VolumeMount>[]): string[] =>
    texts(
      validateMounts(
        {
          name: 'c',
          image: 'i',
          volumeMounts: mounts.map(each => ({ name: 'v', mountPath: '/m', ...each })),
        },
        good,
        path('volumeMounts'),
      ),
    );
  const cases: [string, Partial<VolumeMount>[], string[]][] = [
    ['a volume that is not there', [{ name: 'w' }], ['volumeMounts[0].name: Not found: "w"']],
    [
      'a volume in which something is wrong',
      [{ name: 'bad' }],
      ['volumeMounts[0].name: Not found: "bad"'],
    ],
    [
      'no name',
      [{ name: '' }],
      ['volumeMounts[0].name: Required value', 'volumeMounts[0].name: Not found: ""'],
    ],
    ['no path', [{ mountPath: '' }], ['volumeMounts[0].mountPath: Required value']],
    [
      'one path twice',
      [{}, {}],
      ['volumeMounts[1].mountPath: Invalid value: "/m": must be unique'],
    ],
    [
      'an absolute subPath',
      [{ subPath: '/a' }],
      ['volumeMounts.subPath: Invalid value: "/a": must be a relative path'],
    ],
    [
      'a subPath that climbs',
      [{ subPath: 'a/..' }],
      [`volumeMounts.subPath: Invalid value: "a/..": must not contain '..'`],
    ],
    [
      'both forms of subPath',
      [{ subPath: 'a', subPathExpr: '$(A)' }],
      [
        'volumeMounts[0].subPathExpr: Invalid value: "$(A)": subPathExpr and subPath are mutually exclusive',
      ],
    ],
    [
      'a propagation that is for the privileged',
      [{ mountPropagation: 'Bidirectional' }],
      [
        'volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
      ],
    ],
    [
      'recursiveReadOnly where it may be written',
      [{ recursiveReadOnly: 'Enabled' }],
      ['volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true'],
    ],
    [
      'a recursiveReadOnly that is none',
      [{ recursiveReadOnly: 'Yes' as 'Enabled', readOnly: true }],
      [
        'volumeMounts.recursiveReadOnly: Unsupported value: "Yes": supported values: "Disabled", "Enabled", "IfPossible"',
      ],
    ],
  ];
  test.each(cases)('%s', (_title, mounts, errors) => {
    expect(mountErrors(...mounts)).toEqual(errors);
  });
});

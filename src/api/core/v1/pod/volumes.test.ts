import { describe, expect, test } from 'vitest';
import type { Pod } from './pod-schema.ts';
import { podWarnings } from './pod-warnings.ts';
import { validatePod } from './validate-pod.ts';
import type { Volume, VolumeMount } from './volume-schema.ts';

const pod = (volumes: Volume[], volumeMounts: VolumeMount[] = []): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n' },
  spec: { containers: [{ name: 'c', image: 'i', volumeMounts }], volumes },
});
const errorsOf = (object: Pod): string[] =>
  validatePod(object).map(each => `${each.field}: ${each.message}`);
const secret = (more: object): Volume[] => [{ name: 'v', secret: { secretName: 's', ...more } }];
const projected = (more: object): Volume[] => [{ name: 'v', projected: more }];

const modeText = 'must be a number between 0 and 0777 (octal), both inclusive';
const userText = 'must be between 0 and 2147483647, inclusive';

describe('volumes', () => {
  test.each([
    [
      'defaultMode',
      secret({ defaultMode: 600 }),
      `secret.defaultMode: Invalid value: 600: ${modeText}`,
    ],
    [
      'mode',
      secret({ items: [{ key: 'k', path: 'p', mode: -1 }] }),
      `secret.items[0].mode: Invalid value: -1: ${modeText}`,
    ],
    [
      'defaultUser',
      secret({ defaultUser: -1 }),
      `secret.defaultUser: Invalid value: -1: ${userText}`,
    ],
    [
      'user',
      secret({ items: [{ key: 'k', path: 'p', user: 2 ** 31 }] }),
      `secret.items[0].user: Invalid value: 2147483648: ${userText}`,
    ],
    [
      'user of a token',
      projected({ sources: [{ serviceAccountToken: { path: 't', user: -5 } }] }),
      `projected.sources[0].serviceAccountToken.user: Invalid value: -5: ${userText}`,
    ],
    [
      'defaultUser of several',
      projected({ defaultUser: -1 }),
      `projected.defaultUser: Invalid value: -1: ${userText}`,
    ],
    [
      'two kinds in one source',
      projected({ sources: [{ secret: { name: 'a' }, configMap: { name: 'b' } }] }),
      'projected.sources[0]: Forbidden: may not specify more than 1 volume type per source',
    ],
  ])('%s', (_, volumes, error) => {
    expect(errorsOf(pod(volumes))).toEqual([`spec.volumes[0].${error}`]);
  });

  test.each([
    ['..', ["must not contain '..'", "must not start with '..'"]],
    ['../a', ["must not contain '..'"]],
    ['..a/..', ["must not contain '..'", "must not start with '..'"]],
    ['/..', ['must be a relative path', "must not contain '..'"]],
  ])('path %j', (path, texts) => {
    expect(errorsOf(pod(secret({ items: [{ key: 'k', path }] })))).toEqual(
      texts.map(
        text =>
          `spec.volumes[0].secret.items[0].path: Invalid value: ${JSON.stringify(path)}: ${text}`,
      ),
    );
  });

  test('owners and modes in their ranges are good', () => {
    const items = [{ key: 'k', path: 'p', mode: 0, user: 0 }];
    expect(errorsOf(pod(secret({ defaultMode: 0o777, defaultUser: 2 ** 31 - 1, items })))).toEqual(
      [],
    );
  });
});

describe('volumeMounts', () => {
  const emptyDir: Volume[] = [{ name: 'v', emptyDir: {} }];
  test.each<[string, Partial<VolumeMount>, string[]]>([
    [
      'subPath ../a',
      { subPath: '../a' },
      ['.subPath: Invalid value: "../a": must not contain \'..\''],
    ],
    ['subPath /a', { subPath: '/a' }, ['.subPath: Invalid value: "/a": must be a relative path']],
    [
      'both forms of subPath',
      { subPath: 'a', subPathExpr: 'b' },
      ['[0].subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive'],
    ],
    ['an unknown volume', { name: 'w' }, ['[0].name: Not found: "w"']],
    [
      'an unknown propagation',
      { mountPropagation: 'Both' as 'None' },
      [
        '.mountPropagation: Unsupported value: "Both": supported values: "Bidirectional", "HostToContainer", "None"',
      ],
    ],
    [
      'Bidirectional without privilege',
      { mountPropagation: 'Bidirectional' },
      [
        '.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
      ],
    ],
    [
      'recursiveReadOnly of what is not read-only',
      { recursiveReadOnly: 'Enabled' },
      ['.recursiveReadOnly: Forbidden: may only be specified when readOnly is true'],
    ],
    [
      'recursiveReadOnly with propagation',
      { recursiveReadOnly: 'IfPossible', readOnly: true, mountPropagation: 'HostToContainer' },
      [
        '.recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified',
      ],
    ],
    [
      'an unknown recursiveReadOnly',
      { recursiveReadOnly: 'Yes' as 'Enabled', readOnly: true },
      [
        '.recursiveReadOnly: Unsupported value: "Yes": supported values: "Disabled", "Enabled", "IfPossible"',
      ],
    ],
    ['recursiveReadOnly as it may be', { recursiveReadOnly: 'Enabled', readOnly: true }, []],
    ['recursiveReadOnly: Disabled', { recursiveReadOnly: 'Disabled' }, []],
  ])('%s', (_, mount, errors) => {
    expect(errorsOf(pod(emptyDir, [{ name: 'v', mountPath: '/m', ...mount }]))).toEqual(
      errors.map(text => `spec.containers[0].volumeMounts${text}`),
    );
  });

  test('one path twice', () => {
    const twice = ['/m', '/m'].map(mountPath => ({ name: 'v', mountPath }));
    expect(errorsOf(pod(emptyDir, twice))).toEqual([
      'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/m": must be unique',
    ]);
  });
});

describe('warnings of modes', () => {
  test.each([
    [400, '400 is 0620 in octal; 0400 is 256'],
    [440, '440 is 0670 in octal; 0440 is 288'],
    [444, '444 is 0674 in octal; 0444 is 292'],
    ...[0, 256, 288, 384, 416, 420, 448, 493, 500, 511].map(mode => [mode, undefined] as const),
    // Refused, with its own error.
    [600, undefined],
  ] as const)('defaultMode %i', (defaultMode, warning) => {
    expect(podWarnings(pod(secret({ defaultMode })))).toEqual(
      warning === undefined ? [] : [`spec.volumes[0].secret.defaultMode: ${warning}`],
    );
  });

  test('of items, and of every kind of volume', () => {
    const items = [{ key: 'k', path: 'p', mode: 400 }];
    const downward = [{ path: 'p', mode: 400, fieldRef: { fieldPath: 'metadata.name' } }];
    const volumes: Volume[] = [
      { name: 'a', secret: { secretName: 's', items } },
      { name: 'b', configMap: { name: 'c', defaultMode: 400 } },
      { name: 'c', downwardAPI: { items: downward } },
      { name: 'd', projected: { defaultMode: 400, sources: [{ secret: { name: 's', items } }] } },
    ];
    expect(podWarnings(pod(volumes)).map(each => each.split(':', 1)[0])).toEqual([
      'spec.volumes[0].secret.items[0].mode',
      'spec.volumes[1].configMap.defaultMode',
      'spec.volumes[2].downwardAPI.items[0].mode',
      'spec.volumes[3].projected.defaultMode',
      'spec.volumes[3].projected.sources[0].secret.items[0].mode',
    ]);
  });
});

describe('warnings of paths that meet', () => {
  const items = (...paths: string[]) => paths.map(path => ({ key: 'k', path }));
  test.each([
    [['a', 'b', 'a/c'], ['"a/c" with "a"']],
    [['a/b/c', 'a'], ['"a" with "a/b/c"']],
    [['a', 'a/'], ['"a" with "a"']],
    [['a', 'ab', 'a.b'], []],
  ])('%j', (paths, texts) => {
    expect(podWarnings(pod(secret({ items: items(...paths) })))).toEqual(
      texts.map(text => `volume "v" (Secret "s"): overlapping paths: ${text}`),
    );
  });

  test('across the sources of a projected volume', () => {
    const sources = [
      { serviceAccountToken: { path: 'token' } },
      { secret: { name: 's', items: items('token') } },
      { configMap: { name: 'c', items: items('x', 'token/more') } },
      { secret: { name: 'whole' } },
    ];
    expect(podWarnings(pod(projected({ sources })))).toEqual([
      'volume "v" (Projected): overlapping paths: "token" (Secret "s") with "token" (ServiceAccountToken)',
      'volume "v" (Projected): overlapping paths: "token/more" (ConfigMap "c") with "token" (ServiceAccountToken)',
      'volume "v" (Projected): overlapping paths: "token/more" (ConfigMap "c") with "token" (Secret "s")',
    ]);
  });
});

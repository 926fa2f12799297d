import { describe, expect, test } from 'vitest';
import { applyPodDefaults, qosClassOf } from './pod-defaults.ts';
import type { Pod } from './pod-schema.ts';
import { validatePod, validatePodUpdate } from './validate-pod.ts';

type Spec = Pod['spec'];
type Container = Spec['containers'][number];
const pod = (spec: Partial<Spec> = {}, container: Partial<Container> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n' },
  spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec },
});
const errorsOf = (object: Pod): string[] =>
  validatePod(object).map(each => `${each.field}: ${each.message}`);
const secretVolume = (more: object): Partial<Spec> => ({
  volumes: [{ name: 'v', secret: { secretName: 's', ...more } }],
});

describe('validatePod()', () => {
  test.each([
    { of: 'a good pod', object: pod(), errors: [] },
    {
      of: 'no containers',
      object: pod({ containers: [] }),
      errors: ['spec.containers: Required value'],
    },
    {
      of: 'no image',
      object: pod({}, { image: '' }),
      errors: ['spec.containers[0].image: Required value'],
    },
    {
      of: 'two containers of a name',
      object: pod({
        containers: [
          { name: 'c', image: 'i' },
          { name: 'c', image: 'i' },
        ],
      }),
      errors: ['spec.containers[1].name: Duplicate value: "c"'],
    },
    {
      of: 'a volume of no kind',
      object: pod({ volumes: [{ name: 'v' }] }),
      errors: ['spec.volumes[0]: Required value: must specify a volume type'],
    },
    {
      of: 'a volume of two kinds',
      object: pod({ volumes: [{ name: 'v', emptyDir: {}, secret: { secretName: 's' } }] }),
      errors: ['spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type'],
    },
    {
      of: 'a secret volume without its secret',
      object: pod({ volumes: [{ name: 'v', secret: {} }] }),
      errors: ['spec.volumes[0].secret.secretName: Required value'],
    },
    {
      of: 'a mode over 0777',
      object: pod(secretVolume({ defaultMode: 512 })),
      errors: [
        'spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
      ],
    },
    {
      of: 'items without key and path',
      object: pod(secretVolume({ items: [{ key: '', path: '' }] })),
      errors: [
        'spec.volumes[0].secret.items[0].key: Required value',
        'spec.volumes[0].secret.items[0].path: Required value',
      ],
    },
    ...(
      [
        ['/abs', 'must be a relative path'],
        ['a/../b', "must not contain '..'"],
        ['..foo', "must not start with '..'"],
      ] as const
    ).map(([target, text]) => ({
      of: `the path ${target}`,
      object: pod(secretVolume({ items: [{ key: 'k', path: target }] })),
      errors: [
        `spec.volumes[0].secret.items[0].path: Invalid value: ${JSON.stringify(target)}: ${text}`,
      ],
    })),
    ...['foo..bar', '.foo', 'a/..b'].map(target => ({
      of: `the path ${target}, which is good`,
      object: pod(secretVolume({ items: [{ key: 'k', path: target }] })),
      errors: [],
    })),
    {
      of: 'one path twice in a projected volume',
      object: pod({
        volumes: [
          {
            name: 'v',
            projected: {
              sources: [
                { secret: { name: 'a', items: [{ key: 'k', path: 'p' }] } },
                { secret: { name: 'b', items: [{ key: 'k', path: 'p' }] } },
              ],
            },
          },
        ],
      }),
      errors: ['spec.volumes[0].projected: Invalid value: "b": conflicting duplicate paths'],
    },
    {
      of: 'a variable of two sources',
      object: pod(
        {},
        {
          env: [
            {
              name: 'A',
              valueFrom: {
                secretKeyRef: { name: 's', key: 'k' },
                fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' },
              },
            },
          ],
        },
      ),
      errors: [
        'spec.containers[0].env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time',
      ],
    },
    {
      of: 'a variable of no source',
      object: pod({}, { env: [{ name: 'A', valueFrom: {} }] }),
      errors: [
        'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
      ],
    },
    {
      of: 'a value beside its source',
      object: pod(
        {},
        { env: [{ name: 'A', value: 'x', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] },
      ),
      errors: [
        'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
      ],
    },
    {
      of: 'a request over its limit',
      object: pod({}, { resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }),
      errors: [
        'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
      ],
    },
    {
      of: 'a restart policy of its own',
      object: pod({ restartPolicy: 'Sometimes' as 'Always' }),
      errors: [
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      ],
    },
  ])('$of', ({ object, errors }) => {
    expect(errorsOf(object)).toEqual(errors);
  });
});

describe('validatePodUpdate()', () => {
  const changed = (spec: Partial<Spec>): string[] =>
    validatePodUpdate(pod(spec), pod()).map(each => each.field);
  test('an image may change, what else runs may not', () => {
    expect(changed({ containers: [{ name: 'c', image: 'newer' }] })).toEqual([]);
    expect(changed({ containers: [{ name: 'c', image: 'i', command: ['x'] }] })).toEqual(['spec']);
    expect(changed({ nodeSelector: { a: 'b' } })).toEqual(['spec']);
  });
  test('tolerations may be added, containers may not', () => {
    expect(changed({ tolerations: [{ key: 'k', operator: 'Exists' }] })).toEqual([]);
    expect(
      changed({
        containers: [
          { name: 'c', image: 'i' },
          { name: 'd', image: 'i' },
        ],
      }),
    ).toEqual(['spec.containers']);
  });
});

describe('applyPodDefaults()', () => {
  test.each([
    ['redis', 'Always'],
    ['redis:latest', 'Always'],
    ['redis:7', 'IfNotPresent'],
    ['host:5000/redis', 'Always'],
    [`redis@sha256:${'a'.repeat(64)}`, 'IfNotPresent'],
    [`redis:latest@sha256:${'a'.repeat(64)}`, 'Always'],
    ['mySshImage', 'IfNotPresent'],
  ])('image %s is pulled %s', (image, policy) => {
    const object = pod({}, { image });
    applyPodDefaults(object);
    expect(object.spec.containers[0]?.imagePullPolicy).toBe(policy);
  });

  test('volumes of files are 0644', () => {
    const object = pod({ volumes: [{ name: 'v', secret: { secretName: 's' } }] });
    applyPodDefaults(object);
    expect(object.spec.volumes?.[0]?.secret?.defaultMode).toBe(0o644);
  });
});

test.each([
  [{}, 'BestEffort'],
  [{ requests: { cpu: '1' } }, 'Burstable'],
  [{ limits: { cpu: '1', memory: '1Mi' } }, 'Guaranteed'],
  [{ limits: { cpu: '1', memory: '1Mi' }, requests: { cpu: '0.5' } }, 'Burstable'],
])('qosClassOf(%j) is %s', (resources, qos) => {
  expect(qosClassOf(pod({}, { resources }).spec)).toBe(qos);
});

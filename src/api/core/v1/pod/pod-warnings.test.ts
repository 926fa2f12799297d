import { expect, test } from 'vitest';
import type { Pod } from './pod-schema.ts';
import { podWarnings } from './pod-warnings.ts';

type Spec = Pod['spec'];
type Container = Spec['containers'][number];
const warningsOf = (spec: Partial<Spec>, container: Partial<Container> = {}): string[] =>
  podWarnings({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec },
  });
const hides = (i: number): string =>
  `spec.containers[0].env[${i}]: hides previous definition of "X", which may be dropped when using apply`;

const cases: [string, string[], string[]][] = [
  [
    'pull secrets: repeated, then empty ones',
    warningsOf({ imagePullSecrets: [{ name: '' }, { name: 'a' }, { name: 'a' }] }),
    [
      'spec.imagePullSecrets[2].name: duplicate name "a"',
      'spec.imagePullSecrets[0].name: invalid empty name ""',
    ],
  ],
  [
    'a variable that hides another',
    warningsOf({}, { env: [{ name: 'X', value: '1' }, { name: 'Y' }, { name: 'X', value: '2' }] }),
    [hides(2)],
  ],
  [
    'a variable that builds on another hides nothing',
    warningsOf(
      {},
      {
        env: [
          { name: 'X', value: '1' },
          { name: 'X', value: '$(X):2' },
        ],
      },
    ),
    [],
  ],
  [
    'one that only repeats it does, and so does one from a secret',
    warningsOf(
      {},
      {
        env: [
          { name: 'X', value: '1' },
          { name: 'X', value: '$(X)' },
          { name: 'X', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        ],
      },
    ),
    [hides(1), hides(2)],
  ],
  [
    'a file that the token’s meets',
    warningsOf({
      volumes: [
        {
          name: 'v',
          projected: {
            sources: [
              { serviceAccountToken: { path: 'token' } },
              {
                secret: {
                  name: 's',
                  items: [
                    { key: 'k', path: 'a' },
                    { key: 'k', path: 'token' },
                  ],
                },
              },
            ],
          },
        },
      ],
    }),
    [
      'volume "v" (Projected): overlapping paths: "token" (Secret "s") with "token" (ServiceAccountToken)',
    ],
  ],
  [
    'half a byte',
    warningsOf({}, { resources: { limits: { memory: '100m' } } }),
    [
      'spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
    ],
  ],
  [
    'ports that meet',
    warningsOf(
      {},
      {
        ports: [
          { containerPort: 80 },
          { containerPort: 80 },
          { containerPort: 80, hostPort: 8080 },
        ],
      },
    ),
    [
      'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]',
    ],
  ],
  [
    'one address with two lists of names',
    warningsOf({ hostAliases: [{ ip: '1.2.3.4' }, { ip: '1.2.3.4' }] }),
    ['spec.hostAliases[1].ip: duplicate ip "1.2.3.4"'],
  ],
];
test.each(cases)('podWarnings(): %s', (_title, warnings, expected) => {
  expect(warnings).toEqual(expected);
});

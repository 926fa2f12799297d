import { countSteps } from '../../../test/support/count-steps.ts';
import { expect, test } from 'vitest';
import type { Pod } from '../../api/core/v1/pod.ts';
import { nestedMountPoints } from './nested-mount-points.ts';

const podOf = (...containers: [name: string, mountPath: string][][]): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {},
  spec: {
    containers: containers.map((mounts, i) => ({
      name: `c${i}`,
      volumeMounts: mounts.map(([name, mountPath]) => ({ name, mountPath })),
    })),
  },
});

test.each([
  { of: 'none', pod: podOf([['v', '/a']]), found: [] },
  {
    of: 'one below',
    pod: podOf([
      ['v', '/a'],
      ['w', '/a/b/c'],
    ]),
    found: ['b/c'],
  },
  {
    of: 'a name that only begins alike',
    pod: podOf([
      ['v', '/a'],
      ['w', '/ab'],
    ]),
    found: [],
  },
  {
    of: 'those below another nested one',
    pod: podOf([
      ['x', '/a/b/c'],
      ['v', '/a'],
      ['w', '/a/b'],
    ]),
    found: ['b'],
  },
  {
    of: 'itself, twice',
    pod: podOf([
      ['v', '/a'],
      ['v', '/a/again'],
    ]),
    found: ['again'],
  },
  {
    of: 'paths not in their shortest form',
    pod: podOf([
      ['v', '/a/'],
      ['w', '/a//b/../c'],
    ]),
    found: ['c'],
  },
  {
    of: 'relative paths',
    pod: podOf([
      ['v', 'a'],
      ['w', '/a/b'],
    ]),
    found: ['b'],
  },
  {
    of: 'each container by itself',
    pod: podOf(
      [
        ['v', '/a'],
        ['w', '/x/y'],
      ],
      [
        ['v', '/x'],
        ['w', '/x/z'],
      ],
      [['w', '/a/no']],
    ),
    found: ['z'],
  },
  {
    of: 'the root',
    pod: podOf([
      ['v', '/'],
      ['w', '/etc'],
    ]),
    found: ['etc'],
  },
])('nestedMountPoints() of $of', ({ pod, found }) => {
  expect(nestedMountPoints('v', pod)).toEqual(found);
});

test.each([
  { of: 'mounts beside one another', pathOf: (i: number) => `/m${i === 0 ? '' : `/${i}`}` },
  { of: 'mounts on one another', pathOf: (i: number) => '/a'.repeat(Math.min(i, 60) + 1) + i },
  {
    of: 'mounts in one another',
    pathOf: (i: number) => `/${'a/'.repeat(i % 60)}${Math.floor(i / 60)}`,
  },
])('the work for $of grows with their number, not with its square', async ({ pathOf }) => {
  const stepsFor = (count: number): Promise<number> => {
    const pod = podOf(Array.from({ length: count }, (_, i) => ['v', pathOf(i)]));
    return countSteps(() => nestedMountPoints('v', pod));
  };
  await stepsFor(10);
  expect((await stepsFor(1000)) / (await stepsFor(500))).toBeLessThan(2.5);
});

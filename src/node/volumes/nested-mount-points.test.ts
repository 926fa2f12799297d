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

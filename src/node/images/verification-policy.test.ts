import { describe, expect, test } from 'vitest';
import { createVerificationPolicy } from './verification-policy.ts';

describe('createVerificationPolicy()', () => {
  test.each([
    ['NeverVerify', false, false],
    ['NeverVerifyPreloadedImages', true, false],
    ['AlwaysVerify', true, true],
  ] as const)('%s: pulled here %s, preloaded %s', (name, pulled, preloaded) => {
    const policy = createVerificationPolicy(name);
    expect(policy('reg.io/app', true)).toBe(pulled);
    expect(policy('reg.io/app', false)).toBe(preloaded);
  });

  test.each([
    ['reg.io/app', true],
    ['reg.io/apps', false],
    ['reg.io/app/sub', false],
    ['reg.io/team/a', true],
    ['reg.io/team/a/b', true],
    ['reg.io/team', false],
    ['reg.io/teams/a', false],
    ['docker.io/library/busybox', true],
  ])('NeverVerifyAllowlistedImages: %s is on the list: %s', (repository, listed) => {
    const policy = createVerificationPolicy('NeverVerifyAllowlistedImages', [
      'reg.io/app',
      'reg.io/team/*',
      'busybox',
    ]);
    for (const pulledHere of [true, false]) expect(policy(repository, pulledHere)).toBe(!listed);
  });

  test.each([
    [' reg.io/app', 'leading/trailing spaces are not allowed:  reg.io/app'],
    ['', 'the supplied pattern is too short: '],
    ['*', "not a valid wildcard pattern, only patterns ending with '/*' are allowed: *"],
    [
      'reg.io/a*',
      "not a valid wildcard pattern, only patterns ending with '/*' are allowed: reg.io/a*",
    ],
    [
      'reg.io/*/app',
      "not a valid wildcard pattern, only patterns ending with '/*' are allowed: reg.io/*/app",
    ],
    ['/*', 'at least registry hostname is required'],
    ['reg.io/app:1', 'neither tag nor digest is accepted in an image reference: reg.io/app:1'],
    [
      'reg.io/app:latest',
      'neither tag nor digest is accepted in an image reference: reg.io/app:latest',
    ],
    [
      `reg.io/app@sha256:${'a'.repeat(64)}`,
      `neither tag nor digest is accepted in an image reference: reg.io/app@sha256:${'a'.repeat(64)}`,
    ],
    ['Reg/App', 'failed to parse as an image name: Reg/App'],
  ])('%j is no pattern', (pattern, message) => {
    expect(() => createVerificationPolicy('NeverVerifyAllowlistedImages', [pattern])).toThrow(
      new SyntaxError(message),
    );
  });
});

import { describe, expect, test } from 'vitest';
import { parseImageName } from './image-name.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseImageName()', () => {
  test.each([
    ['redis', 'docker.io/library/redis:latest'],
    ['redis:7', 'docker.io/library/redis:7'],
    ['user/app', 'docker.io/user/app:latest'],
    ['docker.io/redis', 'docker.io/library/redis:latest'],
    ['index.docker.io/user/app', 'docker.io/user/app:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['LocalHost/app', 'LocalHost/app:latest'],
    ['127.0.0.1:5000/private/busybox:1', '127.0.0.1:5000/private/busybox:1'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    ['ghcr.io/a/b/c', 'ghcr.io/a/b/c:latest'],
    ['a/b__c.d_e-f---g', 'docker.io/a/b__c.d_e-f---g:latest'],
    [`redis@${digest}`, `docker.io/library/redis@${digest}`],
    [`redis:7@${digest}`, `docker.io/library/redis:7@${digest}`],
  ])('%s is %s', (image, full) => {
    expect(parseImageName(image).full).toBe(full);
  });

  test.each([
    [
      'mySshImage',
      'invalid reference format: repository name (library/mySshImage) must be lowercase',
    ],
    ['quay.io/Team/app', 'invalid reference format: repository name (Team/app) must be lowercase'],
    ['a b', 'invalid reference format'],
    ['redis:', 'invalid reference format'],
    ['-registry.io/app', 'invalid reference format'],
    ['registry.io//app', 'invalid reference format'],
    ['redis@sha256:xyz', 'invalid reference format'],
    [
      'a'.repeat(64),
      `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`,
    ],
    [`x/${'a'.repeat(254)}`, 'repository name must not be more than 255 characters'],
    [`redis@sha256:${'a'.repeat(40)}`, 'invalid checksum digest length'],
    [`redis@md5:${'a'.repeat(32)}`, 'unsupported digest algorithm'],
  ])('%j is refused: %s', (image, why) => {
    expect(() => parseImageName(image)).toThrow(
      new SyntaxError(`couldn't parse image name ${JSON.stringify(image)}: ${why}`),
    );
  });
});

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startKeylet, type Keylet } from '../support/keylet.ts';
import { secret, secretVolumePod, waitReady } from '../support/pods.ts';

describe.each([
  // The document's way: a periodic sync that reads through a cache with a time to live.
  { name: 'U1 cache', args: ['--secret-updates', 'Cache', '--secret-ttl', '1s'] },
  { name: 'U2 get', args: ['--secret-updates', 'Get'] },
])('mounted secrets are updated by the periodic sync: $name', ({ args }) => {
  let keylet: Keylet;
  beforeAll(async () => {
    keylet = await startKeylet({
      args: [...args, '--sync-frequency', '2s', '--registry-hosts-dir', inject('registryHostsDir')],
    });
  });
  afterAll(() => keylet.stop());

  test('the new value arrives within sync period and time to live', async () => {
    const { kubectl } = keylet;
    await kubectl.apply(secret('mysecret', { k: 'old' }), secretVolumePod('reader', 'mysecret'));
    await waitReady(kubectl, 'reader');
    expect(await kubectl.sh('reader', 'cat /etc/foo/k')).toBe('old');
    await kubectl.apply(secret('mysecret', { k: 'new' }));
    await eventually(async () => expect(await kubectl.sh('reader', 'cat /etc/foo/k')).toBe('new'));
  });
});

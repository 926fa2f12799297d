import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Pod } from '../../api/core/v1/pod.ts';
import { writeHostsFile } from './hosts-file.ts';
import { sandboxConfig } from './sandbox-config.ts';

const pod = (spec: Partial<Pod['spec']>, name = 'p'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid: 'u' },
  spec: { containers: [], ...spec },
});

describe('the host name of a pod', () => {
  test.each<[string, Pod, string]>([
    ['its name', pod({}), 'p'],
    ['spec.hostname', pod({ hostname: 'h' }), 'h'],
    ['no longer than a label', pod({}, `${'a'.repeat(62)}-b`), 'a'.repeat(62)],
    ['a subdomain alone does not change it', pod({ subdomain: 'sub' }), 'p'],
    [
      'the full name where it is asked for',
      pod({ hostname: 'h', subdomain: 'sub', setHostnameAsFQDN: true }),
      'h.sub.ns.svc.cluster.local',
    ],
    ['without a subdomain there is no full name', pod({ setHostnameAsFQDN: true }), 'p'],
    [
      'the network of the node has a name of its own',
      pod({ hostNetwork: true, subdomain: 'sub', setHostnameAsFQDN: true }),
      '',
    ],
  ])('%s', (_title, of, hostname) => {
    expect(sandboxConfig(of, 0).hostname).toBe(hostname);
  });

  test('a full name that the kernel has no room for is refused', () => {
    const long = pod({ hostname: 'h'.repeat(40), subdomain: 'sub', setHostnameAsFQDN: true });
    const fqdn = `${'h'.repeat(40)}.sub.ns.svc.cluster.local`;
    expect(() => sandboxConfig(long, 0)).toThrow(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (64 characters is the max, 65 characters requested)`,
    );
  });

  test('the hosts file has the full name before the short one', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'keylet-hosts-'));
    try {
      const of = pod({ hostname: 'h', subdomain: 'sub' });
      const file = await writeHostsFile(folder, of, ['10.0.0.1', 'fd00::1']);
      expect((await readFile(file, 'utf8')).split('\n').slice(-3, -1)).toEqual([
        '10.0.0.1\th.sub.ns.svc.cluster.local\th',
        'fd00::1\th.sub.ns.svc.cluster.local\th',
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

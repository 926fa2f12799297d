import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { eventsOf, secret, secretVolumePod, waitReady } from '../support/pods.ts';
import { mustRun } from '../support/run.ts';
import { example } from '../support/examples.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();

describe('use cases', () => {
  let namespace: string;
  beforeEach(async () => {
    namespace = await freshNamespace(kubectl, 'spec-cases');
    return () => kubectl(`delete namespace ${namespace} --wait=false`);
  });

  test('C1 a pod with ssh keys finds the pieces of the key in its files', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'keylet-ssh-'));
    try {
      // Any text will do for a key: the secret carries it, nobody parses it.
      await writeFile(path.join(folder, 'id_rsa'), 'the private key\n');
      await writeFile(path.join(folder, 'id_rsa.pub'), 'the public key\n');
      await kubectl(`create secret generic ssh-key-secret -n ${namespace}`, [
        `--from-file=ssh-privatekey=${folder}/id_rsa`,
        `--from-file=ssh-publickey=${folder}/id_rsa.pub`,
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
    const manifest = await example('spec/pod-ssh-key.json');
    // The document's own image name has upper-case letters, which no registry can serve.
    await kubectl(`apply -n ${namespace} -f -`, [], {
      input: manifest.replace('mySshImage', 'my-ssh-image'),
    });
    await waitReady(kubectl, 'secret-test-pod', namespace);
    const cat = (file: string): Promise<string> =>
      kubectl.sh('secret-test-pod', `cat /etc/secret-volume/${file}`, { namespace });
    expect(await cat('ssh-publickey')).toBe('the public key\n');
    expect(await cat('ssh-privatekey')).toBe('the private key\n');
  });

  test("C2 the document's mySshImage as it stands is refused with the kubelet's reason", async () => {
    await kubectl(`create secret generic ssh-key-secret -n ${namespace} --from-literal=a=b`);
    await kubectl(`apply -n ${namespace} -f -`, [], {
      input: await example('spec/pod-ssh-key.json'),
    });
    await eventually(async () => {
      expect(await kubectl(`get pod secret-test-pod -n ${namespace} --no-headers`)).toContain(
        'InvalidImageName',
      );
      expect(await eventsOf(kubectl, 'secret-test-pod', namespace)).toContain(
        'Failed to apply default image tag "mySshImage"',
      );
    });
  });

  test('C3 one pod with prod and one with test credentials', async () => {
    for (const [stage, user] of [
      ['prod', 'produser'],
      ['test', 'testuser'],
    ]) {
      await kubectl(`create secret generic ${stage}-db-secret -n ${namespace}`, [
        `--from-literal=username=${user}`,
        `--from-literal=password=secret-of-${stage}`,
      ]);
      await kubectl.apply(
        secretVolumePod(`${stage}-db-client-pod`, `${stage}-db-secret`, { namespace }),
      );
    }
    for (const stage of ['prod', 'test']) {
      await waitReady(kubectl, `${stage}-db-client-pod`, namespace);
      expect(
        await kubectl.sh(`${stage}-db-client-pod`, 'cat /etc/foo/username /etc/foo/password', {
          namespace,
        }),
      ).toBe(`${stage}usersecret-of-${stage}`);
    }
  });

  test('C4 a secret value appears in no process list of the machine', async () => {
    const value = 'planted-8c1f0e';
    await kubectl.apply(secret('hidden', { k: value }, { namespace }));
    await kubectl.apply(secretVolumePod('quiet', 'hidden', { namespace }));
    await waitReady(kubectl, 'quiet', namespace);
    expect(await kubectl.sh('quiet', 'cat /etc/foo/k', { namespace })).toBe(value);
    expect(await mustRun('ps', ['-eo', 'args'])).not.toContain(value);
  });
});

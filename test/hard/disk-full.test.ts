import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { root, startKeylet } from '../support/keylet.ts';
import { rawApi, type RawAnswer } from '../support/raw-api.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

const secrets = '/api/v1/namespaces/default/secrets';
const bodyOf = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    data: { value: Buffer.alloc(100_000, name).toString('base64') },
  });

test('keylet up lives through a full disk: writes are refused with the reason, and resume', async () => {
  const disk = await mountSmallDisk(96);
  const keylet = await startKeylet({ dataDir: path.join(disk.folder, 'data') });
  try {
    const ask = await rawApi(keylet.kubeconfig);
    const acknowledged: string[] = [];
    await disk.fill();
    let refused: RawAnswer;
    for (;;) {
      const name = `s${acknowledged.length}`;
      refused = await ask({ path: secrets, body: bodyOf(name) });
      if (refused.code !== 201) break;
      acknowledged.push(name);
    }
    expect([refused.code, refused.headers['retry-after']]).toEqual([507, '1']);
    expect(refused.body.message).toContain('no space left on device');
    const ready = await ask({ method: 'GET', path: '/readyz' });
    expect([ready.code, ready.text]).toEqual([
      500,
      expect.stringContaining('[-]etcd failed: no space left on device'),
    ]);
    // The agent and the controllers meet the full disk too.
    expect(await keylet.kubectl('get nodes')).toContain('Ready');
    expect((await ask({ method: 'GET', path: secrets })).code).toBe(200);

    await disk.empty();
    await eventually(async () => (await ask({ method: 'GET', path: '/readyz' })).code === 200);
    expect((await ask({ path: secrets, body: bodyOf('after') })).code).toBe(201);
    const { body } = await ask({ method: 'GET', path: secrets });
    const found = (body['items'] as { metadata: { name: string } }[]).map(
      each => each.metadata.name,
    );
    expect(found.toSorted()).toEqual([...acknowledged, 'after'].toSorted());
  } finally {
    await keylet.stop();
    await disk.close();
  }
  expect(keylet.output()).toContain('The store cannot be written');
  expect(keylet.output()).toContain('The store can be written again');
});

test('keylet up on a full disk says so in one line and leaves nothing behind', async () => {
  const disk = await mountSmallDisk(8);
  try {
    await disk.fill();
    const dataDir = path.join(disk.folder, 'data');
    const args = [path.join(root, 'bin/keylet.js'), 'up', '--data-dir', dataDir, '--port', '0'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(child, 'close');
    expect(child.exitCode).toBe(1);
    expect(output).toBe(
      `keylet: no space left on the disk of ${dataDir}: 0 KiB are free, a start needs 4096. Free some, or choose another folder with --data-dir\n`,
    );
    expect(await readdir(disk.folder)).toEqual(['ballast']);
  } finally {
    await disk.close();
  }
});

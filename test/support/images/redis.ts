import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ociImage, type OciImage } from '../../../src/node/runtime/archive/oci-image.ts';
import { mustRun } from '../run.ts';
import { busyboxFiles } from './busybox.ts';

const packages = [
  'redis-server',
  'redis-tools',
  'libc6',
  'libssl3',
  'libjemalloc2',
  'liblua5.1-0',
  'liblzf1',
  'libatomic1',
  'libsystemd0',
  'libhiredis0.14',
  'lua-bitop',
  'lua-cjson',
  'libcap2',
  'libgcrypt20',
  'liblz4-1',
  'liblzma5',
  'libzstd1',
  'libgpg-error0',
  'libgcc-s1',
  'libstdc++6',
];

/** Debian's redis-server with the libraries that it loads, and busybox to look around with. */
export async function redisImage(): Promise<OciImage> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keylet-redis-'));
  try {
    await mustRun('apt-get', ['download', '-qq', ...packages], { cwd: folder, timeoutMs: 300_000 });
    const debs = (await readdir(folder)).filter(name => name.endsWith('.deb'));
    const root = path.join(folder, 'root');
    for (const deb of debs) await mustRun('dpkg-deb', ['-x', path.join(folder, deb), root]);
    const server = await realpath(path.join(root, 'usr/bin/redis-server'));
    const libraries = await librariesOf(server, root);
    return ociImage(
      [
        ...(await busyboxFiles()),
        { path: 'usr/bin/redis-server', content: await readFile(server), mode: 0o755 },
        ...(await Promise.all(
          libraries.map(async file => ({
            path: path.relative(root, file),
            content: await readFile(await realpath(file)),
            mode: 0o755,
          })),
        )),
        { path: 'data/', mode: 0o777 },
      ],
      {
        Entrypoint: ['redis-server'],
        // Nothing is saved: the container ends at once when it is told to.
        Cmd: ['--save', '', '--appendonly', 'no'],
        Env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
        WorkingDir: '/data',
      },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Files below `root` that the loader takes for a program, itself among them. */
async function librariesOf(program: string, root: string): Promise<string[]> {
  const [loader = ''] = (
    await mustRun('sh', [
      '-c',
      `ls -d ${root}/lib*/ld-linux* ${root}/usr/lib*/ld-linux* 2>/dev/null || true`,
    ])
  ).split('\n');
  const folders = (
    await mustRun('sh', [
      '-c',
      `ls -d ${root}/lib/*-linux-gnu ${root}/usr/lib/*-linux-gnu 2>/dev/null || true`,
    ])
  )
    .trim()
    .split('\n');
  const listed = await mustRun(loader, ['--library-path', folders.join(':'), '--list', program]);
  const found = [...listed.matchAll(/=> (\S+)/g)]
    .map(([, file = '']) => file)
    .filter(file => file.startsWith(root));
  return [...new Set([loader, ...found])];
}

import { readFile } from 'node:fs/promises';
import { ociImage, type OciImage } from '../../../src/node/runtime/archive/oci-image.ts';
import type { TarEntry } from '../../../src/node/runtime/archive/tar.ts';
import { mustRun } from '../run.ts';

/** Debian's busybox-static with a link for each of its programs. */
export async function busyboxFiles(): Promise<TarEntry[]> {
  const applets = (await mustRun('busybox', ['--list']))
    .split('\n')
    .filter(name => name !== '' && name !== 'busybox');
  return [
    { path: 'bin/' },
    { path: 'bin/busybox', content: await readFile('/bin/busybox'), mode: 0o755 },
    ...applets.map(name => ({ path: `bin/${name}`, linkTo: 'busybox' })),
    { path: 'etc/' },
    {
      path: 'etc/passwd',
      content: Buffer.from(
        'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
      ),
    },
    { path: 'etc/group', content: Buffer.from('root:x:0:\n') },
    { path: 'root/', mode: 0o700 },
    { path: 'tmp/', mode: 0o1777 },
  ];
}

const Env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

/** @param marker makes an image, and a layer, like no other */
export async function busyboxImage(marker?: string): Promise<OciImage> {
  const own = marker === undefined ? [] : [{ path: 'etc/marker', content: Buffer.from(marker) }];
  return ociImage([...(await busyboxFiles()), ...own], { Cmd: ['sh'], Env });
}

/** Stands for the document's ssh image: something that runs and can read its files. */
export const sshImage = async (): Promise<OciImage> =>
  ociImage(await busyboxFiles(), { Cmd: ['sleep', '86400'], Env });

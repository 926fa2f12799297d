import { spawn } from 'node:child_process';

/** Puts an OCI archive into containerd's images. */
export function importImage({
  ctr,
  socket,
  archive,
}: {
  ctr: string;
  socket: string;
  archive: Buffer;
}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      ctr,
      ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', '-'],
      {
        stdio: ['pipe', 'ignore', 'pipe'],
      },
    );
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.once('error', reject);
    child.once('close', code => {
      if (code === 0) resolve();
      else reject(new Error(`ctr images import exited with ${code}: ${errors.trim()}`));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(archive);
  });
}

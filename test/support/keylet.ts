import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createKubectl, type Kubectl } from './kubectl-cli.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const launcher = path.join(root, 'bin/keylet.js');

export interface Keylet {
  readonly dataDir: string;
  readonly kubeconfig: string;
  readonly pid: number;
  readonly kubectl: Kubectl;
  /** All that it printed so far, both streams. */
  output(): string;
  /** `SIGKILL` leaves the data folder for a successor; the other ends it cleanly and removes the folder. */
  stop(signal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null>;
  /** Resolves when it has ended, by itself or not. */
  readonly ended: Promise<void>;
}

export interface StartOptions {
  readonly args?: readonly string[];
  /** Start on a folder that is there; it is then not removed at the end. */
  readonly dataDir?: string;
  /** For node itself. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** As `ulimit -n` sets it. */
  readonly maxOpenFiles?: number;
}

/** A Keylet of the test's own: `keylet up` in the foreground on a free port and a temporary folder. */
export async function startKeylet({
  args = [],
  dataDir,
  nodeArgs = [],
  env = {},
  maxOpenFiles,
}: StartOptions = {}): Promise<Keylet> {
  const folder = dataDir ?? (await mkdtemp(path.join(tmpdir(), 'keylet-e2e-')));
  const node = [process.execPath, ...nodeArgs, launcher];
  const limited =
    maxOpenFiles === undefined
      ? node
      : ['prlimit', `--nofile=${maxOpenFiles}:${maxOpenFiles}`, ...node];
  const [command = '', ...before] = limited;
  const child = spawn(command, [...before, 'up', '--data-dir', folder, '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const ended = once(child, 'close').then(() => undefined);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  await ready(child, () => output);
  const kubeconfig = path.join(folder, 'admin.kubeconfig');
  return {
    dataDir: folder,
    kubeconfig,
    pid: child.pid ?? 0,
    kubectl: createKubectl(kubeconfig),
    output: () => output,
    ended,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await ended;
      }
      if (signal !== 'SIGKILL' && dataDir === undefined) {
        await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
          throw new Error(
            `keylet up left something behind. It ended with ${child.exitCode}:\n${output}`,
            {
              cause: error,
            },
          );
        });
      }
      return child.exitCode;
    },
  };
}

function ready(child: ChildProcess, output: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (/^Ready in \d+ ms$/m.test(output())) resolve();
    };
    child.stdout?.on('data', look);
    child.once('close', code =>
      reject(new Error(`keylet up ended with ${code} before it was ready:\n${output()}`)),
    );
  });
}

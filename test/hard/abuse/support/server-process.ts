import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KeyPair } from '../../../../src/server/pki/pki.ts';
import { mintCertificate } from '../../../../src/server/pki/mint.ts';
import { goingFirst } from './priority.ts';

/** An API server as a process of its own, so that its death is a failure that is seen. */
export interface ServerProcess {
  readonly port: number;
  readonly ca: string;
  /** A client certificate of the server's CA. */
  issue(commonName: string, organization?: string): Promise<KeyPair>;
  alive(): boolean;
  readonly ended: Promise<void>;
  /** How it ended: exit code or signal. */
  end(): string;
  /** Resident memory in MiB. */
  memory(): number;
  /** The most resident memory since `resetPeak`, in MiB. */
  peak(): number;
  resetPeak(): void;
  logBytes(): number;
  /** The last lines that it logged. */
  logTail(): string;
  logIncludes(text: string): boolean;
  stop(): Promise<void>;
}

const tailBytes = 4000;
const keptLogBytes = 4 * 1024 * 1024;

export async function startServerProcess(): Promise<ServerProcess> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-abuse-'));
  const script = fileURLToPath(new URL('./serve.mjs', import.meta.url));
  const child = spawn(...goingFirst([script, dataDir]), {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let log = '';
  let logBytes = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      logBytes += chunk.length;
      log = (log + chunk.toString()).slice(-keptLogBytes);
    });
  }
  const closed = once(child, 'close');
  const port = await portOf(child, () => log);
  const pair = async (name: string): Promise<KeyPair> => ({
    cert: await readFile(path.join(dataDir, 'pki', `${name}.crt`), 'utf8'),
    key: await readFile(path.join(dataDir, 'pki', `${name}.key`), 'utf8'),
  });
  const ca = await pair('ca');
  const field = (name: string): number => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  };
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    port,
    ca: ca.cert,
    issue: (commonName, organization) =>
      mintCertificate(ca, {
        commonName,
        ...(organization === undefined ? {} : { organization }),
        names: [],
        usage: 'client',
      }),
    alive,
    ended: closed.then(() => undefined),
    end: () => `exit code ${child.exitCode}, signal ${child.signalCode}`,
    memory: () => (alive() ? field('VmRSS') : 0),
    peak: () => (alive() ? field('VmHWM') : 0),
    // 5 resets the high-water mark (proc(5)).
    resetPeak: () => writeFileSync(`/proc/${child.pid}/clear_refs`, '5'),
    logBytes: () => logBytes,
    logTail: () => log.slice(-tailBytes),
    logIncludes: text => log.includes(text),
    async stop() {
      if (alive()) child.kill('SIGKILL');
      await closed;
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function portOf(child: ChildProcess, log: () => string): Promise<number> {
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`the server ended with ${String(code)} before it was ready:\n${log()}`);
  });
  exited.catch(() => undefined);
  const [message] = (await Promise.race([once(child, 'message'), exited])) as [{ port: number }];
  return message.port;
}

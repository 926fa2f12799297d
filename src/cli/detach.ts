import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from './user-error.ts';

/** What the daemon tells the command that started it, until it is ready. */
export interface ProgressMessage {
  readonly line?: string;
  readonly ready?: true;
}

/** Starts `keylet up` with the same arguments as a daemon; returns when that is ready. */
export async function detach(dataDir: string): Promise<void> {
  const logFile = path.join(dataDir, 'keylet.log');
  const log = await open(logFile, 'a', 0o600);
  const args = process.argv.slice(1).filter(arg => arg !== '--detach');
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  });
  await log.close();
  try {
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: ProgressMessage) => {
        if (message.line !== undefined) process.stdout.write(`${message.line}\n`);
        if (message.ready === true) resolve();
      });
      child.once('error', reject);
      child.once('close', code =>
        reject(new UserError(`it ended with ${code} before it was ready; see ${logFile}`)),
      );
    });
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
}

import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomically } from './atomic-file.ts';
import { UserError } from './user-error.ts';

export const defaultDataDir = '/var/lib/keylet';

/** What a running Keylet leaves in its data folder for the other commands to find it by. */
export interface Instance {
  readonly pid: number;
  /** Start time of the process in clock ticks since boot: tells a reused pid from the same process. */
  readonly startTicks: string;
  readonly url: string;
  readonly kubeconfig: string;
  readonly nodeName: string;
}

const fileOf = (dataDir: string): string => path.join(dataDir, 'keylet.json');

/**
 * The Keylet that runs on this data folder, if one does. A file left by a killed one does not count.
 * @throws UserError when who asks may not know
 */
export async function runningInstance(dataDir: string): Promise<Instance | undefined> {
  let instance: Instance;
  try {
    instance = JSON.parse(await readFile(fileOf(dataDir), 'utf8')) as Instance;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      throw new UserError(`only root may look into ${dataDir}. Try again with sudo`, {
        cause: error,
      });
    return undefined;
  }
  return (await processStartTicks(instance.pid)) === instance.startTicks ? instance : undefined;
}

export async function announceInstance(
  dataDir: string,
  instance: Omit<Instance, 'pid' | 'startTicks'>,
): Promise<void> {
  const startTicks = (await processStartTicks(process.pid)) ?? '';
  const record: Instance = { pid: process.pid, startTicks, ...instance };
  await writeFileAtomically(fileOf(dataDir), `${JSON.stringify(record)}\n`, 0o600);
}

export const withdrawInstance = (dataDir: string): Promise<void> =>
  rm(fileOf(dataDir), { force: true });

/** Field 22 of /proc/<pid>/stat; undefined when there is no such process. */
export async function processStartTicks(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold spaces.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root } from './keylet.ts';
import { ensurePackages } from './packages.ts';
import { mustRun } from './run.ts';

/** What a process is told to meet when it uses the files below a folder. */
export interface FaultyDisk {
  /** For the process. */
  readonly env: Readonly<Record<string, string>>;
  /** @param errno Linux' number of the error with which each such operation fails */
  fail(operation: 'write' | 'sync' | 'open', errno: number): Promise<void>;
  mend(): Promise<void>;
}

/** Makes operations below `folder` fail in a process that is started with `env`; needs gcc. */
export async function createFaultyDisk(folder: string, workFolder: string): Promise<FaultyDisk> {
  await ensurePackages(undefined, ['gcc', 'libc6-dev']);
  const library = path.join(workFolder, 'faulty-disk.so');
  const source = path.join(root, 'test/support/faulty-disk.c');
  await mustRun('gcc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl']);
  const control = path.join(workFolder, 'fault');
  const mend = (): Promise<void> => writeFile(control, '');
  await mend();
  return {
    env: { LD_PRELOAD: library, FAULTY_FOLDER: folder, FAULTY_CONTROL: control },
    fail: (operation, errno) => writeFile(control, `${operation} ${errno}\n`),
    mend,
  };
}

import { open, rm } from 'node:fs/promises';
import path from 'node:path';

/** Room for a transaction of small writes, with its tree pages. */
export const smallWriteBytes = 256 * 1024;

/**
 * Finds out whether the disk takes that many bytes.
 * @param sync whether they have to reach the disk
 * @throws the file system's error if it does not
 */
export async function probeWrite(folder: string, bytes: number, sync: boolean): Promise<void> {
  const file = path.join(folder, 'probe');
  try {
    const handle = await open(file, 'w', 0o600);
    try {
      await handle.writeFile(Buffer.alloc(bytes));
      if (sync) await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    await rm(file, { force: true });
  }
}

import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';

/** Writes a file of mode 0600 whole or not at all; it is on disk, by its name, when this resolves. */
export async function writeDurably(file: string, content: string | Uint8Array): Promise<void> {
  const next = `${file}.next`;
  try {
    const handle = await open(next, 'w', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(next, file);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
  const folder = await open(path.dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

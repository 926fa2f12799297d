import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

// What a container sees needs the exact mode: the mode of a creation is reduced by Keylet's umask.

/** Makes a folder and its missing parents, each with that mode. Folders that exist keep theirs. */
export async function makeFolders(folder: string, mode: number): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode });
  if (first === undefined) return;
  for (let at = path.resolve(folder); at.length >= first.length; at = path.dirname(at))
    await chmod(at, mode);
}

/** Writes a file in place, with that mode. */
export async function writeFileWithMode(file: string, text: string, mode: number): Promise<void> {
  await writeFile(file, text, { mode });
  await chmod(file, mode);
}

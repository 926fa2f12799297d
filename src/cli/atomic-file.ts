import { rename, writeFile } from 'node:fs/promises';

/** Readers see the old content or the new, never a part. */
export async function writeFileAtomically(
  file: string,
  content: string,
  mode: number,
): Promise<void> {
  const next = `${file}.next`;
  await writeFile(next, content, { mode });
  await rename(next, file);
}

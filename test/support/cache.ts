import { access, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../.cache', import.meta.url));

/** A file of `.cache/`, made once: `make` writes it at the path that it is given. */
export async function cached(name: string, make: (file: string) => Promise<void>): Promise<string> {
  const file = path.join(folder, name);
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (there) return file;
  await mkdir(path.dirname(file), { recursive: true });
  const next = `${file}.${process.pid}`;
  await make(next);
  await rename(next, file);
  return file;
}

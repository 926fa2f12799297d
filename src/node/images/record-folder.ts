import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Records of one kind, a file each, named by the hash of what they are about. Read once, written through. */
export interface RecordFolder<T> {
  has(id: string): boolean;
  /** Undefined also for a file that cannot be read: it says that there is something, not what. */
  get(id: string): T | undefined;
  list(): T[];
  /** Changes follow one another; what `change` answers is on the disk when this resolves. */
  update(id: string, change: (known: T | undefined) => T): Promise<void>;
  delete(id: string): Promise<void>;
  /** Deletes what is about nothing of these. */
  keepOnly(ids: readonly string[]): Promise<void>;
}

const prefix = 'sha256-';
const unfinished = '.tmp';

/** @param parse answers undefined for what is no record of the kind */
export async function openRecordFolder<T extends object>(
  dir: string,
  parse: (value: unknown) => T | undefined,
): Promise<RecordFolder<T>> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const records = new Map<string, T | undefined>();
  for (const file of await readdir(dir)) {
    if (!file.startsWith(prefix) || file.endsWith(unfinished)) continue;
    records.set(file, await read(path.join(dir, file), parse));
  }
  let queue: Promise<void> = Promise.resolve();
  const enqueue = (work: () => Promise<void>): Promise<void> => {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  };
  const remove = async (file: string): Promise<void> => {
    await rm(path.join(dir, file), { force: true });
    records.delete(file);
  };
  return {
    has: id => records.has(fileOf(id)),
    get: id => records.get(fileOf(id)),
    list: () => [...records.values()].filter(each => each !== undefined),
    update: (id, change) =>
      enqueue(async () => {
        const file = fileOf(id);
        const known = records.get(file);
        const next = change(known);
        if (next === known) return;
        await write(path.join(dir, file), JSON.stringify(next));
        records.set(file, next);
      }),
    delete: id => enqueue(() => remove(fileOf(id))),
    keepOnly: ids =>
      enqueue(async () => {
        const kept = new Set(ids.map(fileOf));
        for (const file of records.keys()) if (!kept.has(file)) await remove(file);
      }),
  };
}

const fileOf = (id: string): string => `${prefix}${createHash('sha256').update(id).digest('hex')}`;

async function read<T>(
  file: string,
  parse: (value: unknown) => T | undefined,
): Promise<T | undefined> {
  const text = await readFile(file, 'utf8');
  try {
    return parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The old content or the new is there, never a part. */
async function write(file: string, content: string): Promise<void> {
  const next = `${file}${unfinished}`;
  await writeFile(next, content, { mode: 0o600 });
  await rename(next, file);
}

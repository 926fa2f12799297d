import { readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openStore } from '../../src/store/open-store.ts';

/*
 * A process of its own, since what it looks for ends a process: opens a new store with no page free
 * on the disk, then with one, and so on. Prints a line each: the pages, the outcome, what it left behind.
 */
const [disk = '', most = '0'] = process.argv.slice(2);
const ballast = path.join(disk, 'ballast');
const pageBytes = 4096;

for (let pages = 0; pages <= Number(most); pages += 1) {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(ballast, Buffer.alloc(bavail * bsize - pages * pageBytes));
  const store = await openStore({
    path: path.join(disk, 'data/store'),
    keysDir: path.join(disk, 'data/keys'),
  }).catch((error: Error) => error);
  if (store instanceof Error) {
    const left = readdirSync(disk).filter(name => name !== 'ballast');
    process.stdout.write(`${JSON.stringify({ pages, error: store.message, left })}\n`);
  } else {
    const put = await store.put('/a', Buffer.alloc(100)).catch((error: Error) => error);
    process.stdout.write(
      `${JSON.stringify({ pages, put: put instanceof Error ? put.message : 'ok' })}\n`,
    );
    await store.close();
  }
  rmSync(path.join(disk, 'data'), { recursive: true, force: true });
  rmSync(ballast);
}

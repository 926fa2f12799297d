import { readdir, readFile, readlink } from 'node:fs/promises';

/** TCP ports on which the given processes listen, on any address. */
export async function listeningPorts(pids: readonly number[]): Promise<Set<number>> {
  const [ports, sockets] = await Promise.all([
    portsBySocket(),
    Promise.all(pids.map(socketsOf)).then(each => each.flat()),
  ]);
  return new Set(sockets.flatMap(inode => ports.get(inode) ?? []));
}

const listening = '0A';

/** proc(5), /proc/net/tcp: by inode, in the network namespace of this process. */
async function portsBySocket(): Promise<Map<string, number>> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map(name => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const rows = tables.flatMap(text => text.split('\n').slice(1));
  return new Map(
    rows.flatMap((row): [string, number][] => {
      const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/);
      return state === listening ? [[inode, Number.parseInt(local.split(':')[1] ?? '', 16)]] : [];
    }),
  );
}

/** Inodes of the sockets that a process has open; none of one that has ended. */
async function socketsOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(
    names.map(name => readlink(`${folder}/${name}`).catch(() => '')),
  );
  return targets.flatMap(target => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}

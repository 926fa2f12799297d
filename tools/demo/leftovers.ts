import { readFile, readdir } from 'node:fs/promises';

/** What a run could leave on the machine, as comparable lines. */
export async function machineState(): Promise<Set<string>> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map(line => line.split(' ')[4])
    .filter(point => point !== undefined && point !== '')
    .map(point => `mount ${point}`);
  const interfaces = (await readdir('/sys/class/net')).map(name => `network interface ${name}`);
  const namespaces = (await listIfThere('/var/run/netns')).map(name => `network namespace ${name}`);
  return new Set([...mounts, ...interfaces, ...namespaces, ...(await runtimeProcesses())]);
}

/** The runtime's own processes by pid; others may come and go as they please. */
async function runtimeProcesses(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    // A zombie has no command line: it has ended, and its parent has not looked yet.
    if ((await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) === '') continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    if (
      /^(containerd|containerd-shim.*|docker-registry|registry|pause|redis-server)$/.test(
        name.trim(),
      )
    ) {
      found.push(`process ${pid} ${name.trim()}`);
    }
  }
  return found;
}

export const leftovers = (before: Set<string>, after: Set<string>): string[] =>
  [...after].filter(each => !before.has(each));

const listIfThere = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

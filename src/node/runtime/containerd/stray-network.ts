import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

export interface NetworkOfSandboxes {
  /** The bridge, which is the network's name. */
  readonly bridge: string;
  readonly cidr: string;
  /** Ids of the sandboxes whose network stays. */
  readonly live: ReadonlySet<string>;
}

const run = promisify(execFile);
/** Where CNI's library notes what it has set up. */
const resultsDir = '/var/lib/cni/results';

/**
 * Removes what is left of the network of sandboxes that are no more. A CNI plug-in that was killed at its removal
 * finds the interface gone the next time, and leaves the rest for ever.
 * @param iptables path of the program; its siblings are used
 * @throws Error with the words of iptables
 */
export async function removeStrayNetwork(
  iptables: string,
  network: NetworkOfSandboxes,
): Promise<void> {
  const removeRules = async (): Promise<void> => {
    const { stdout } = await run(`${iptables}-save`, ['-t', 'nat'], { maxBuffer: 2 ** 26 });
    const changes = removalOf(stdout, network);
    if (changes !== '') await restore(`${iptables}-restore`, changes);
  };
  // All is removed or nothing: a plug-in that is at work may have been there first.
  await removeRules().catch(removeRules);
  for (const name of await readdir(resultsDir).catch(() => [])) {
    const file = path.join(resultsDir, name);
    if (isStray(name, network) || (await isStrayLoopback(file))) await rm(file, { force: true });
  }
}

function isStray(name: string, { bridge, live }: NetworkOfSandboxes): boolean {
  const [of, id = ''] = name.split('-');
  return of === bridge && !live.has(id);
}

/** The loopback is one network for all runtimes of a machine: what notes a namespace that is no more is nobody's. */
async function isStrayLoopback(file: string): Promise<boolean> {
  if (!path.basename(file).startsWith('cni-loopback-')) return false;
  try {
    const { result } = JSON.parse(await readFile(file, 'utf8')) as {
      result: { interfaces: readonly { sandbox: string }[] };
    };
    return result.interfaces.every(({ sandbox }) => !existsSync(sandbox));
  } catch {
    // Not in the form that is known here, or removed meanwhile.
    return false;
  }
}

async function restore(program: string, changes: string): Promise<void> {
  const child = spawn(program, ['--noflush'], { stdio: ['pipe', 'ignore', 'pipe'] });
  child.stdin.end(changes);
  const [words, [code]] = await Promise.all([
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(words.trim() || `${program} ended with ${code}`);
}

/**
 * What iptables-restore has to be told; empty where nothing is left over.
 * @param saved what iptables-save says of the table nat
 */
export function removalOf(saved: string, { bridge, cidr, live }: NetworkOfSandboxes): string {
  const rules = saved.split('\n').flatMap(line => {
    const [, chain] = /^-A (\S+) /.exec(line) ?? [];
    if (chain === undefined) return [];
    const target = / -j (CNI-(?!HOSTPORT)\S+)$/.exec(line)?.[1];
    const [, of, id = ''] = /name: \\"([^"\\]+)\\" id: \\"([^"\\]+)\\"/.exec(line) ?? [];
    const ours = of === bridge || (of === undefined && line.includes(` -s ${cidr} `));
    // A rule is of the sandbox that its own chain is of, or the one that it leads to.
    const own = target ?? (/^CNI-(?!HOSTPORT)/.test(chain) ? chain : undefined);
    return [{ line, target, own, ours, alive: ours && live.has(id) }];
  });
  const chainsOf = (list: typeof rules): Set<string> =>
    new Set(list.flatMap(({ own }) => (own === undefined ? [] : [own])));
  const alive = chainsOf(rules.filter(rule => rule.alive));
  const stray = [...chainsOf(rules.filter(rule => rule.ours))].filter(name => !alive.has(name));
  if (stray.length === 0) return '';
  const jumps = rules.filter(({ target }) => target !== undefined && stray.includes(target));
  return [
    '*nat',
    ...jumps.map(({ line }) => line.replace(/^-A/, '-D')),
    ...stray.map(name => `-F ${name}`),
    ...stray.map(name => `-X ${name}`),
    'COMMIT',
    '',
  ].join('\n');
}

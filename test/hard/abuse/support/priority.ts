import { setPriority } from 'node:os';

const isRoot = process.getuid?.() === 0;

/**
 * Whoever abuses a server does so from another machine: here its CPU time must not be that of the server
 * and of the ordinary client. As root these two go first, before all else that runs on this machine.
 */
export const goingFirst = (args: readonly string[]): [command: string, args: string[]] =>
  isRoot ? ['nice', ['-n', '-15', process.execPath, ...args]] : [process.execPath, [...args]];

/** Without root this process, which sends the abuses, steps back instead. Called after the others were started. */
export function stepBack(): void {
  if (!isRoot) setPriority(10);
}

import { spawnSync } from 'node:child_process';

/** Whether this process may go on; otherwise the same command was run through sudo, to its end. */
export function asRoot(): boolean {
  if (process.getuid?.() === 0) return true;
  process.stdout.write('Keylet needs root (mounts, namespaces, networks): asking sudo\n');
  const { status, error } = spawnSync(
    'sudo',
    ['--preserve-env=PATH', process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    { stdio: 'inherit' },
  );
  if (error !== undefined) {
    process.stderr.write(`sudo is not there (${error.message}). Run the command as root.\n`);
  }
  process.exitCode = status ?? 1;
  return false;
}

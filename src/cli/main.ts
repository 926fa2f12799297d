import { Command, CommanderError } from 'commander';
import { UserError } from './user-error.ts';
import { keyletVersion } from './version.ts';

/** Each is loaded when it is needed: only `up` needs the server. */
const commands: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['up', async () => (await import('./up.ts')).upCommand()],
  ['down', async () => (await import('./down.ts')).downCommand()],
  ['status', async () => (await import('./status.ts')).statusCommand()],
  ['kubeconfig', async () => (await import('./kubeconfig.ts')).kubeconfigCommand()],
  ['version', async () => (await import('./version.ts')).versionCommand()],
]);

/** Runs one command. @returns the exit code */
export async function run(argv: readonly string[]): Promise<number> {
  // The reader of the output may go first, as `head` does.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const program = new Command('keylet')
    .description('Kubernetes Secrets, and the pods that use them, in one small process.')
    .version(keyletVersion(), '-V, --version', 'print the version')
    .showHelpAfterError('(see keylet --help)')
    .exitOverride();
  const wanted = commands.get(argv[0] ?? '');
  for (const load of wanted === undefined ? commands.values() : [wanted]) {
    const command = await load();
    command.exitOverride().showHelpAfterError(`(see keylet ${command.name()} --help)`);
    program.addCommand(command);
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    // What the system refuses says what and where; anything else is a fault of Keylet's own.
    if (!(error instanceof UserError) && !isSystemError(error)) throw error;
    process.stderr.write(`keylet: ${error.message}\n`);
    return 1;
  }
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && 'errno' in error;

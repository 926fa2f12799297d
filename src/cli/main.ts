import { Command, CommanderError } from 'commander';
import { downCommand } from './down.ts';
import { kubeconfigCommand } from './kubeconfig.ts';
import { statusCommand } from './status.ts';
import { upCommand } from './up.ts';
import { UserError } from './user-error.ts';
import { versionCommand } from './version.ts';

/** Runs one command. @returns the exit code */
export async function run(argv: readonly string[]): Promise<number> {
  const program = new Command('keylet')
    .description('Kubernetes Secrets, and the pods that use them, in one small process.')
    .showHelpAfterError('(see keylet --help)')
    .exitOverride();
  for (const make of [upCommand, downCommand, statusCommand, kubeconfigCommand, versionCommand]) {
    program.addCommand(make().exitOverride().showHelpAfterError());
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`keylet: ${error.message}\n`);
    return 1;
  }
}

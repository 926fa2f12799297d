import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { runningInstance } from './instance.ts';
import { dataDirOption } from './options.ts';
import { UserError } from './user-error.ts';

export function kubeconfigCommand(): Command {
  return new Command('kubeconfig')
    .description("print the administrator's kubeconfig")
    .option('--path', 'print the path of the file instead of its content')
    .addOption(dataDirOption())
    .action(async (options: { dataDir: string; path?: true }) => {
      const instance = await runningInstance(options.dataDir);
      if (instance === undefined) {
        throw new UserError(
          `no Keylet runs on ${options.dataDir}. Start one with: keylet up --detach`,
        );
      }
      process.stdout.write(
        options.path === true
          ? `${instance.kubeconfig}\n`
          : await readFile(instance.kubeconfig, 'utf8'),
      );
    });
}

import { Command, Option } from 'commander';
import { processStartTicks, runningInstance } from './instance.ts';
import { dataDirOption, seconds } from './options.ts';
import { UserError } from './user-error.ts';

interface DownOptions {
  readonly dataDir: string;
  readonly timeout: number;
}

export function downCommand(): Command {
  return new Command('down')
    .description('stop Keylet: its pods end, their mounts and networks go, the objects stay')
    .addOption(dataDirOption())
    .addOption(
      new Option('--timeout <seconds>', 'how long to wait for it').default(60).argParser(seconds),
    )
    .action(async ({ dataDir, timeout }: DownOptions) => {
      const instance = await runningInstance(dataDir);
      if (instance === undefined) {
        process.stdout.write(`No Keylet runs on ${dataDir}\n`);
        return;
      }
      process.kill(instance.pid, 'SIGTERM');
      const deadline = performance.now() + timeout * 1000;
      // The end of a process that is not a child can only be asked for.
      while ((await processStartTicks(instance.pid)) === instance.startTicks) {
        if (performance.now() > deadline) {
          throw new UserError(`process ${instance.pid} still runs after ${timeout} s`);
        }
        await new Promise(resolve => setTimeout(resolve, 20));
      }
      process.stdout.write('Stopped\n');
    });
}

import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { nodeResource } from '../api/core/v1/node.ts';
import { podResource } from '../api/core/v1/pod.ts';
import { secretResource } from '../api/core/v1/secret.ts';
import { createClient } from '../client/http-client.ts';
import { loadKubeconfig } from '../client/kubeconfig.ts';
import { runningInstance, type Instance } from './instance.ts';
import { dataDirOption } from './options.ts';
import { UserError } from './user-error.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('tell whether Keylet runs here, and what it holds')
    .addOption(dataDirOption())
    .action(async ({ dataDir }: { dataDir: string }) => {
      const instance = await runningInstance(dataDir);
      if (instance === undefined) throw new UserError(`no Keylet runs on ${dataDir}`);
      for (const [name, value] of await describe(instance).catch(noAnswer(instance))) {
        process.stdout.write(`${`${name}:`.padEnd(12)} ${value}\n`);
      }
    });
}

async function describe(instance: Instance): Promise<[string, string][]> {
  const client = createClient(await loadKubeconfig(instance.kubeconfig));
  try {
    const [nodes, pods, secrets, memory] = await Promise.all([
      client.resource(nodeResource).list(),
      client.resource(podResource).list(),
      client.resource(secretResource).list(),
      residentMiB(instance.pid),
    ]);
    const node = nodes.items.find(each => each.metadata.name === instance.nodeName);
    const ready = node?.status?.conditions?.find(each => each.type === 'Ready')?.status === 'True';
    const running = pods.items.filter(pod => pod.status?.phase === 'Running').length;
    return [
      ['API', instance.url],
      ['Process', `${instance.pid}, ${memory} MiB`],
      ['Node', `${instance.nodeName}, ${ready ? 'Ready' : 'NotReady'}`],
      ['Pods', `${pods.items.length}, ${running} running`],
      ['Secrets', String(secrets.items.length)],
      ['Kubeconfig', instance.kubeconfig],
    ];
  } finally {
    await client.close();
  }
}

const noAnswer =
  ({ url }: Instance) =>
  (error: Error): never => {
    throw new UserError(`the API at ${url} does not answer: ${error.message}`, { cause: error });
  };

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024);
}

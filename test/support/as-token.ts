import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createKubectl, type Kubectl } from './kubectl-cli.ts';

/** kubectl as the bearer of a token, and with no other credentials. Its kubeconfig goes with the data folder. */
export async function asToken(admin: Kubectl, token: string): Promise<Kubectl> {
  const config = JSON.parse(await admin('config view --raw -o json')) as {
    users: { name: string; user: object }[];
  };
  for (const entry of config.users) entry.user = { token };
  const file = path.join(path.dirname(admin.kubeconfig), `${randomUUID()}.kubeconfig`);
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return createKubectl(file);
}

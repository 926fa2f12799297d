import { memberOf } from '../machinery/member.ts';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import type { ClientConfig } from './client.ts';

interface Named<T> {
  readonly name: string;
  readonly [key: string]: T | string;
}
interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly clusters?: readonly Named<Record<string, string>>[];
  readonly users?: readonly Named<Record<string, string>>[];
  readonly contexts?: readonly Named<Record<string, string>>[];
}

/** The current context of a kubeconfig. @throws Error that names what is missing */
export async function loadKubeconfig(file: string): Promise<ClientConfig> {
  const config = parse(await readFile(file, 'utf8')) as Kubeconfig;
  const find = (
    list: keyof Kubeconfig,
    field: string,
    name: string | undefined,
  ): Record<string, string> => {
    const entries = (config[list] ?? []) as readonly Named<Record<string, string>>[];
    const found = memberOf(
      entries.find(entry => entry.name === name),
      field,
    );
    if (found === undefined || typeof found === 'string')
      throw new Error(`${file}: no ${field} ${JSON.stringify(name ?? '')}`);
    return found;
  };
  const context = find('contexts', 'context', config['current-context']);
  const cluster = find('clusters', 'cluster', context['cluster']);
  const user = find('users', 'user', context['user']);
  const pem = async (of: Record<string, string>, name: string): Promise<string | undefined> => {
    const data = memberOf(of, `${name}-data`);
    if (data !== undefined) return Buffer.from(data, 'base64').toString();
    const at = memberOf(of, name);
    return at === undefined ? undefined : readFile(path.resolve(path.dirname(file), at), 'utf8');
  };
  const [certificateAuthority, clientCertificate, clientKey] = await Promise.all([
    pem(cluster, 'certificate-authority'),
    pem(user, 'client-certificate'),
    pem(user, 'client-key'),
  ]);
  const { token } = user;
  return {
    server: cluster['server'] ?? '',
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(token === undefined ? {} : { token: () => token }),
  };
}

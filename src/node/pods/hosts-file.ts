import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Pod } from '../../api/core/v1/pod.ts';
import { writeFileWithMode } from '../file-modes.ts';
import { fqdnOf, hostnameOf } from './pod-hostname.ts';

/** Writes the pod's /etc/hosts as the kubelet does. @returns its path on the host */
export async function writeHostsFile(
  podDir: string,
  pod: Pod,
  podIps: readonly string[],
): Promise<string> {
  const file = path.join(podDir, 'etc-hosts');
  await mkdir(podDir, { recursive: true, mode: 0o750 });
  const names = [fqdnOf(pod), hostnameOf(pod)].filter(each => each !== undefined).join('\t');
  const managed =
    pod.spec.hostNetwork === true
      ? `# Kubernetes-managed hosts file (host network).\n${await readFile('/etc/hosts', 'utf8').catch(() => '')}`
      : `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
${podIps.map(ip => `${ip}\t${names}\n`).join('')}`;
  const aliases = (pod.spec.hostAliases ?? []).map(
    ({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`,
  );
  const text =
    aliases.length === 0
      ? managed
      : `${managed}\n# Entries added by HostAliases.\n${aliases.join('')}`;
  await writeFileWithMode(file, text, 0o644);
  return file;
}

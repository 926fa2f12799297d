import { readFile, statfs } from 'node:fs/promises';
import { cpus, hostname, networkInterfaces, release, totalmem } from 'node:os';
import { timestamp } from '../../machinery/timestamp.ts';
import type { Node } from '../../api/core/v1/node.ts';
import { reservedPortsAnnotation, reservedPortsText } from '../../api/core/v1/reserved-ports.ts';

export interface NodeFacts {
  readonly nodeName: string;
  readonly hostIp: string;
  readonly port: number;
  /** Whose file system pods write to. */
  readonly dataDir: string;
  readonly podCidr?: string;
  /** TCP ports of this machine that pods may not take. */
  readonly reservedPorts: () => Promise<ReadonlySet<number>>;
  readonly runtimeVersion: string;
  /** Of Keylet, as the node's version. */
  readonly version: string;
  /** Why the node is not ready; undefined when it is. */
  readonly notReady: string | undefined;
}

/** This machine as a Node. @param old what the API has, whose times are kept where nothing changed */
export async function nodeObject(facts: NodeFacts, old: Node | undefined): Promise<Node> {
  const { nodeName, hostIp, port, podCidr, notReady } = facts;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const labels = {
    ...old?.metadata.labels,
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': arch,
    'node.kubernetes.io/instance-type': 'keylet',
  };
  const capacity = {
    cpu: String(cpus().length),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    pods: '110',
    'ephemeral-storage': `${await diskKiB(facts.dataDir)}Ki`,
  };
  const now = timestamp();
  const condition = (type: string, status: 'True' | 'False', reason: string, message: string) => {
    const before = old?.status?.conditions?.find(each => each.type === type);
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
    return { type, status, lastHeartbeatTime: now, lastTransitionTime, reason, message };
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...old?.metadata,
      name: nodeName,
      labels,
      annotations: {
        ...old?.metadata.annotations,
        [reservedPortsAnnotation]: reservedPortsText(await facts.reservedPorts()),
      },
    },
    spec: {
      ...old?.spec,
      ...(podCidr === undefined ? {} : { podCIDR: podCidr, podCIDRs: [podCidr] }),
    },
    status: {
      capacity,
      allocatable: capacity,
      conditions: [
        condition(
          'MemoryPressure',
          'False',
          'KubeletHasSufficientMemory',
          'kubelet has sufficient memory available',
        ),
        condition(
          'DiskPressure',
          'False',
          'KubeletHasNoDiskPressure',
          'kubelet has no disk pressure',
        ),
        condition(
          'PIDPressure',
          'False',
          'KubeletHasSufficientPID',
          'kubelet has sufficient PID available',
        ),
        notReady === undefined
          ? condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
          : condition('Ready', 'False', 'KubeletNotReady', notReady),
      ],
      addresses: [
        { type: 'InternalIP', address: hostIp },
        { type: 'Hostname', address: nodeName },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      nodeInfo: {
        machineID: await line('/etc/machine-id'),
        systemUUID: await line('/sys/class/dmi/id/product_uuid'),
        bootID: await line('/proc/sys/kernel/random/boot_id'),
        kernelVersion: release(),
        osImage:
          /^PRETTY_NAME="?([^"\n]*)/m.exec(
            await readFile('/etc/os-release', 'utf8').catch(() => ''),
          )?.[1] ?? 'Linux',
        containerRuntimeVersion: facts.runtimeVersion,
        kubeletVersion: `v1.32.0+keylet.${facts.version}`,
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: arch,
      },
    },
  };
}

async function diskKiB(folder: string): Promise<number> {
  const { blocks, bsize } = await statfs(folder);
  return Math.floor((blocks * bsize) / 1024);
}

const line = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8').catch(() => '')).trim();

/** The address that others reach this machine by: the first that is not loopback. */
export function hostAddress(): string {
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    // Bridges of container networks are not where a machine is reached.
    if (/^(keylet|cni|docker|veth|br-)/.test(name)) continue;
    const found = addresses.find(each => each.family === 'IPv4' && !each.internal);
    if (found !== undefined) return found.address;
  }
  return '127.0.0.1';
}

export const defaultNodeName = (): string => hostname().toLowerCase();

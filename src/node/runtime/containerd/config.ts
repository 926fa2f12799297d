import { readFile } from 'node:fs/promises';
import { pauseImageName } from './pause-image.ts';

export interface ContainerdPaths {
  /** Becomes part of overlayfs' mount options, which end at a comma or a colon. */
  readonly root: string;
  /** On a tmpfs, short: sockets lie below. */
  readonly state: string;
  readonly socket: string;
  /** What is run as runc. */
  readonly runc: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
  /** `hosts.toml` folders of registries; a list with colons between, for containerd. */
  readonly registryHostsDir: string;
}

/** Snapshotters and services that nothing here asks for: containerd starts faster without them. */
const unused = [
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.internal.v1.opt',
  'io.containerd.internal.v1.tracing',
  'io.containerd.tracing.processor.v1.otlp',
];

/** Version 2 of the file's form: 1.6 and 1.7 read it, 2.x migrates it. */
export async function containerdConfig(paths: ContainerdPaths): Promise<string> {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = ${tomlString(paths.root)}
state = ${tomlString(paths.state)}
oom_score = 0
disabled_plugins = [${unused.map(each => `"${each}"`).join(', ')}]

[grpc]
  address = ${tomlString(paths.socket)}

[ttrpc]
  address = ${tomlString(`${paths.socket}.ttrpc`)}

[${cri}]
  sandbox_image = "${pauseImageName}"
  restrict_oom_score_adj = ${String(!(await mayLowerOomScore()))}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

[${cri}.containerd]
  default_runtime_name = "runc"

[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.runc.options]
  BinaryName = ${tomlString(paths.runc)}
  SystemdCgroup = false

[${cri}.cni]
  bin_dir = ${tomlString(paths.cniBinDir)}
  conf_dir = ${tomlString(paths.cniConfDir)}

[${cri}.registry]
  config_path = ${tomlString(paths.registryHostsDir)}
`;
}

/** TOML's basic strings have JSON's escapes, and forbid one character more. */
const tomlString = (text: string): string =>
  JSON.stringify(text).replaceAll('\u007f', String.raw`\u007f`);

const capSysResource = 1n << 24n;

/** Without CAP_SYS_RESOURCE no process may lower the score that a sandbox is given. */
async function mayLowerOomScore(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8');
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return (BigInt(`0x${effective}`) & capSysResource) !== 0n;
}

/** @param leasesDir where addresses that are taken are noted: it goes with the runtime's state */
export const cniConflist = (bridge: string, cidr: string, leasesDir: string): string =>
  JSON.stringify(
    {
      cniVersion: '0.4.0',
      name: bridge,
      plugins: [
        {
          type: 'bridge',
          bridge,
          isGateway: true,
          ipMasq: true,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            dataDir: leasesDir,
            ranges: [[{ subnet: cidr }]],
            routes: [{ dst: '0.0.0.0/0' }],
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    },
    null,
    2,
  );

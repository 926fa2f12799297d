import { Command, Option } from 'commander';
import { startCluster, type ClusterSettings } from './cluster.ts';
import { prepareDataFolder, shellWord } from './data-folder.ts';
import { detach, type ProgressMessage } from './detach.ts';
import { announceInstance, runningInstance, withdrawInstance } from './instance.ts';
import { startLastResort } from './last-resort.ts';
import { createLogger, type LogLevel } from '../machinery/log.ts';
import { verificationPolicies } from '../node/images/verification-policy.ts';
import { connectionLimits } from './open-files.ts';
import {
  defaultConfiguration,
  type PodSecurityConfiguration,
} from '../server/admission/pod-security/configuration.ts';
import { defaultInFlightLimits } from '../server/http/limits/in-flight.ts';
import { levels, type Level } from '../server/admission/pod-security/policy.ts';
import {
  address,
  admissionConfig,
  allowlist,
  dataDirOption,
  duration,
  existingFolder,
  inflightLimit,
  interval,
  nodeName,
  podCidr,
  port,
} from './options.ts';
import { requireFreeSpace } from './free-space.ts';
import { startMemoryRelease } from './release-memory.ts';
import { UserError } from './user-error.ts';

interface UpOptions extends Omit<ClusterSettings, 'podSecurity'> {
  readonly podSecurityDefault?: Level;
  readonly admissionControlConfigFile?: PodSecurityConfiguration;
  readonly detach?: true;
  readonly leavePods?: true;
  readonly logLevel: LogLevel;
}

export function upCommand(): Command {
  return new Command('up')
    .description('start a Kubernetes API and a node on this machine, in the foreground')
    .option('--detach', 'go to the background once the node is ready')
    .addOption(dataDirOption())
    .addOption(
      new Option('--port <port>', 'of the API; 0 takes a free one').default(6443).argParser(port),
    )
    .addOption(
      new Option('--bind-address <address>', 'the API listens on')
        .default('0.0.0.0')
        .argParser(address),
    )
    .addOption(new Option('--node-name <name>', "default: this machine's name").argParser(nodeName))
    .option('--runtime-endpoint <socket>', 'a containerd or CRI-O that runs; default: its own')
    .addOption(
      new Option(
        '--pod-cidr <cidr>',
        'addresses of pods, 24 bits; default: a free one of 10.42.0.0/16',
      ).argParser(podCidr),
    )
    .addOption(
      new Option(
        '--registry-hosts-dir <folder>',
        "mirrors and CAs in containerd's certs.d form",
      ).argParser(existingFolder),
    )
    .addOption(
      new Option('--env-names <rule>', 'which keys envFrom takes: strict skips the rest')
        .choices(['strict', 'relaxed'])
        .default('strict'),
    )
    .addOption(
      new Option('--secret-updates <way>', 'how changes reach the node')
        .choices(['Watch', 'Cache', 'Get'])
        .default('Watch'),
    )
    .addOption(
      new Option('--secret-ttl <duration>', 'how long Cache trusts what it read')
        .default(60_000, '1m')
        .argParser(duration),
    )
    .addOption(
      new Option('--sync-frequency <duration>', 'how often mounted volumes are checked')
        .default(60_000, '1m')
        .argParser(interval),
    )
    .addOption(
      new Option(
        '--image-pull-credentials-verification-policy <policy>',
        'when a pod that wants an image that is here must show credentials for it',
      )
        .choices(verificationPolicies)
        .default('NeverVerifyPreloadedImages'),
    )
    .addOption(
      new Option(
        '--preloaded-images-verification-allowlist <images>',
        'those that NeverVerifyAllowlistedImages gives everyone, with commas: busybox,quay.io/team/*',
      ).argParser(allowlist),
    )
    .addOption(
      new Option(
        '--max-requests-inflight <number>',
        'reads that the API works on at a time; 0: no limit',
      )
        .default(defaultInFlightLimits.readOnly)
        .argParser(inflightLimit),
    )
    .addOption(
      new Option(
        '--max-mutating-requests-inflight <number>',
        'writes that the API works on at a time; 0: no limit',
      )
        .default(defaultInFlightLimits.mutating)
        .argParser(inflightLimit),
    )
    .option('--accept-store', 'go on with a store that is older than its record, or has none')
    .addOption(
      new Option(
        '--pod-security-default <level>',
        'Pod Security Standard enforced in namespaces without a label of their own; default: privileged',
      ).choices(levels),
    )
    .addOption(
      new Option(
        '--admission-control-config-file <file>',
        "Kubernetes' PodSecurityConfiguration: defaults and exemptions",
      ).argParser(admissionConfig),
    )
    .option('--leave-pods', 'let the pods run on when Keylet stops')
    .addOption(
      new Option('--log-level <level>', 'what goes to stderr')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('warn'),
    )
    .action(up);
}

async function up(options: UpOptions): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new UserError(
      'needs root: it mounts a tmpfs for each secret volume and lets containerd make namespaces and networks. Try: sudo keylet up',
    );
  }
  refuseIdleAllowlist(options);
  refuseTwoDefaults(options);
  await refuseSecond(options.dataDir);
  await requireFreeSpace(options.dataDir);
  prepareDataFolder(options.dataDir);
  if (options.detach === true) return detach(options.dataDir);
  await foreground(options);
}

async function refuseSecond(dataDir: string): Promise<void> {
  const running = await runningInstance(dataDir);
  if (running === undefined) return;
  throw new UserError(
    `one runs on ${dataDir} already (pid ${running.pid}, ${running.url}). Stop it with: keylet down --data-dir ${shellWord(dataDir)}`,
  );
}

function refuseIdleAllowlist({
  imagePullCredentialsVerificationPolicy: policy,
  preloadedImagesVerificationAllowlist: images,
}: UpOptions): void {
  if (images === undefined || policy === 'NeverVerifyAllowlistedImages') return;
  throw new UserError(
    `--preloaded-images-verification-allowlist has no effect with the policy ${policy}. Give --image-pull-credentials-verification-policy NeverVerifyAllowlistedImages too`,
  );
}

function refuseTwoDefaults({
  podSecurityDefault: level,
  admissionControlConfigFile: file,
}: UpOptions): void {
  if (level === undefined || file === undefined) return;
  throw new UserError(
    `--pod-security-default and --admission-control-config-file cannot be combined. Set defaults.enforce to ${level} in the file`,
  );
}

async function foreground(options: UpOptions): Promise<void> {
  const { dataDir } = options;
  const tell = (message: ProgressMessage): void => {
    if (process.connected) process.send?.(message);
  };
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
    tell({ line });
  };
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!stop.signal.aborted) say('Stopping …');
      stop.abort();
    });
  }
  const log = createLogger({
    level: options.logLevel,
    write: line => process.stderr.write(line),
  });
  const lastResort = startLastResort({ log, stop: () => stop.abort() });
  const podSecurity =
    options.admissionControlConfigFile ?? defaultConfiguration(options.podSecurityDefault);
  const cluster = await startCluster({
    settings: { ...options, podSecurity },
    connections: connectionLimits(),
    log,
    say,
  });
  let memory: { close(): void } | undefined;
  try {
    if (!stop.signal.aborted) {
      const { url, kubeconfig, nodeName } = cluster;
      await announceInstance(dataDir, { url, kubeconfig, nodeName });
      say(`  export KUBECONFIG=${shellWord(kubeconfig)}`);
      // performance.now() counts from the start of the process.
      say(`Ready in ${Math.round(performance.now())} ms`);
      tell({ ready: true });
      memory = startMemoryRelease();
      await aborted(stop.signal);
    }
  } finally {
    // After a fault of its own Keylet leaves its pods to its successor, as after a crash.
    await cluster.close({ leavePods: options.leavePods === true || lastResort.failed });
    await withdrawInstance(dataDir);
    lastResort.close();
    memory?.close();
  }
  if (lastResort.failed) {
    throw new UserError(
      'stopped after an unexpected error, which the log shows; pods go on. Start it again with: keylet up',
    );
  }
  say('Stopped');
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

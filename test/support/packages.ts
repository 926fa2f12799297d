import { access } from 'node:fs/promises';
import { mustRun, run } from './run.ts';

/** What the demo and the tests run for real. */
const needed = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'iproute2',
  'iptables',
  'mount',
  'procps',
  'busybox-static',
  'docker-registry',
  'apache2-utils',
];

/** What Debian would start at the next boot, of the packages that bring services. */
const services: Readonly<Record<string, string>> = {
  containerd: 'containerd.service',
  'docker-registry': 'docker-registry.service',
};

/** Installs the Debian packages that are missing. @throws Error that says what to do where that cannot be */
export async function ensurePackages(
  say: (line: string) => void = () => undefined,
  others: readonly string[] = [],
): Promise<void> {
  const missing: string[] = [];
  for (const name of [...needed, ...others]) {
    const { stdout } = await run('dpkg-query', ['-W', '-f', '${Status}', name]).catch(() => {
      throw new Error(`this needs Debian's packages (${needed.join(', ')}), and here is no dpkg`);
    });
    if (!stdout.includes('install ok installed')) missing.push(name);
  }
  if (missing.length === 0) {
    say('  all there');
    return;
  }
  say(`  missing: ${missing.join(' ')}`);
  say('  apt-get installs them, which takes a minute or so …');
  // Nothing of what is installed shall start by itself, now or later: policy-rc.d answers 101 for "not allowed".
  const policy = '/usr/sbin/policy-rc.d';
  const ours = await access(policy).then(
    () => false,
    () => true,
  );
  if (ours)
    await mustRun('sh', [
      '-c',
      `printf '#!/bin/sh\\nexit 101\\n' > ${policy} && chmod +x ${policy}`,
    ]);
  try {
    const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 600_000 };
    await mustRun('apt-get', ['update', '-qq'], options);
    await mustRun(
      'apt-get',
      ['install', '-y', '-qq', '--no-install-recommends', ...missing],
      options,
    );
    const units = missing.flatMap(name => services[name] ?? []);
    if (units.length > 0) await run('systemctl', ['disable', '--quiet', ...units]).catch(noSystemd);
  } finally {
    if (ours) await mustRun('rm', ['-f', policy]);
  }
}

/** Where there is none, nothing is started at boot either. */
const noSystemd = (): void => undefined;

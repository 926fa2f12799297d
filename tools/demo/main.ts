/**
 * The README's first command: from a bare Debian machine to a Secret inside a container, then a
 * rotation of it, then nothing left behind.
 */
import path from 'node:path';
import { example } from '../../test/support/examples.ts';
import { root, startKeylet, type Keylet } from '../../test/support/keylet.ts';
import type { Kubectl } from '../../test/support/kubectl-cli.ts';
import { ensurePackages } from '../../test/support/packages.ts';
import { mustRun } from '../../test/support/run.ts';
import { serveImages } from '../../test/support/serve-images.ts';
import { asRoot } from './as-root.ts';
import { leftovers, machineState } from './leftovers.ts';
import { followPod } from './progress.ts';
import { rotate } from './rotate.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const step = (text: string): void => say(`\n▸ ${text}`);
const indent = (text: string): string => text.trimEnd().replaceAll(/^/gm, '  ');

/** Rejects at Ctrl-C: what was started is then ended in the same order as always. */
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => reject(new Error('interrupted')));
});
interrupted.catch(() => undefined);

async function demo(): Promise<void> {
  step('Debian packages');
  await ensurePackages(say);
  step('Build');
  say('  npm run build: TypeScript to dist/, some ten seconds …');
  await build();
  const before = await machineState();

  step('Images: redis, built from Debian packages, served by a registry on loopback');
  const images = await serveImages(['redis'], say);
  try {
    step('keylet up');
    const keylet = await startKeylet({ args: ['--registry-hosts-dir', images.hostsDir] });
    try {
      say(indent(keylet.output()));
      await Promise.race([tour(keylet), interrupted]);
    } finally {
      step('Clean up');
      await keylet.stop();
    }
  } finally {
    await images.close();
  }
  const left = leftovers(before, await machineState());
  if (left.length > 0) throw new Error(`left behind:\n${left.join('\n')}`);
  say('  nothing is left: no process, mount, network namespace or bridge');
}

async function build(): Promise<void> {
  await mustRun('npm', ['run', '--silent', 'build'], { timeoutMs: 300_000 });
  const { SUDO_UID: uid, SUDO_GID: gid } = process.env;
  // Who came by sudo builds again without it.
  if (uid !== undefined && gid !== undefined)
    await mustRun('chown', ['-R', `${uid}:${gid}`, path.join(root, 'dist')]);
}

async function tour(keylet: Keylet): Promise<void> {
  const { kubectl } = keylet;
  step("The document's Secret and Pods");
  await show(kubectl, 'create namespace myns');
  await apply(kubectl, 'spec/secret.yaml', 'myns');
  await apply(kubectl, 'spec/secret.yaml', 'default');
  await apply(kubectl, 'spec/pod-volume.json', 'myns');
  await apply(kubectl, 'spec/pod-env.yaml', 'default');
  await followPod(kubectl, { pod: 'mypod', namespace: 'myns' }, say);
  await followPod(kubectl, { pod: 'secret-env-pod', namespace: 'default' }, say);

  step('Inside the containers');
  await inside(kubectl, 'mypod', 'myns', 'ls /etc/foo/');
  await inside(kubectl, 'mypod', 'myns', 'cat /etc/foo/username');
  await inside(kubectl, 'mypod', 'myns', 'cat /etc/foo/password');
  await inside(kubectl, 'secret-env-pod', 'default', 'echo $SECRET_USERNAME');
  await inside(kubectl, 'secret-env-pod', 'default', 'echo $SECRET_PASSWORD');

  step('The secret is rotated while the pod runs');
  say(
    `  as by: kubectl patch -n myns secret mysecret -p '{"stringData":{"password":"rotated-9d3e"}}'`,
  );
  const tookMs = await rotate(keylet, {
    namespace: 'myns',
    secret: 'mysecret',
    pod: 'mypod',
    volume: 'foo',
    key: 'password',
    value: 'rotated-9d3e',
  });
  await inside(kubectl, 'mypod', 'myns', 'cat /etc/foo/password');
  say(`  from the request to the new file in the container: ${tookMs.toFixed(1)} ms`);
}

async function show(kubectl: Kubectl, line: string): Promise<void> {
  say(`  $ kubectl ${line}`);
  say(indent(await kubectl(line)));
}

async function apply(kubectl: Kubectl, file: string, namespace: string): Promise<void> {
  say(`  $ kubectl apply -n ${namespace} -f examples/${file}`);
  say(indent(await kubectl(`apply -n ${namespace} -f -`, [], { input: await example(file) })));
}

async function inside(
  kubectl: Kubectl,
  pod: string,
  namespace: string,
  script: string,
): Promise<void> {
  say(`  ${pod}$ ${script}`);
  say(indent(await kubectl.sh(pod, script, { namespace })));
}

if (asRoot()) {
  try {
    await demo();
  } catch (error) {
    process.stderr.write(`\nThe demo failed: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

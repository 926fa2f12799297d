import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Kubectl } from '../../test/support/kubectl-cli.ts';
import { kubectlPath } from '../../test/support/kubectl.ts';

/** A pod that takes longer is held up by something that its events tell. */
const patienceMs = 120_000;

/** Prints each step of a pod on its way to Running, as `kubectl get -w` tells it. */
export async function followPod(
  kubectl: Kubectl,
  { pod, namespace }: { pod: string; namespace: string },
  say: (line: string) => void,
): Promise<void> {
  const startedAt = performance.now();
  const child = spawn(
    await kubectlPath(),
    ['--kubeconfig', kubectl.kubeconfig, 'get', 'pod', pod, '-n', namespace, '-w', '--no-headers'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const timer = setTimeout(() => child.kill(), patienceMs);
  let last = '';
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const [, ready, status = ''] = line.split(/\s+/);
      if (status === last && ready !== '1/1') continue;
      last = status;
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(2);
      say(`  ${seconds.padStart(5)} s  ${namespace}/${pod}  ${ready}  ${status}`);
      if (ready === '1/1') return;
    }
    const events = await kubectl(
      `get events -n ${namespace} --field-selector involvedObject.name=${pod}`,
    );
    throw new Error(`${namespace}/${pod} did not become ready:\n${events}`);
  } finally {
    clearTimeout(timer);
    child.kill();
  }
}

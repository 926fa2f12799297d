import { startApiOnly } from './api-only.ts';

/** `startApiOnly()` in a process of its own, to be killed. Prints the kubeconfig's path once it listens. */
const { kubectl } = await startApiOnly(process.argv[2] ?? '');
process.stdout.write(`${kubectl.kubeconfig}\n`);

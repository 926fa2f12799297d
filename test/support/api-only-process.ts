import { createLogger } from '../../src/machinery/log.ts';
import { startApiOnly } from './api-only.ts';

/**
 * `startApiOnly()` in a process of its own, to be killed. Prints the kubeconfig's path once it listens, and its log
 * to stderr.
 */
const log = createLogger({ level: 'warn', write: line => process.stderr.write(line) });
const { kubectl } = await startApiOnly(process.argv[2] ?? '', log);
process.stdout.write(`${kubectl.kubeconfig}\n`);

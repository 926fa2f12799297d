import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { eventually } from './eventually.ts';
import { root, startKeylet, type Keylet, type StartOptions } from './keylet.ts';

/** Keylets that die at a step of their own, as if by kill -9. Steps are named in kill-points.ts. */
export interface Mortals {
  /** @param dieAt its last step, if it shall not live to be ready: then this rejects */
  start(options: StartOptions, dieAt?: RegExp): Promise<Keylet>;
  /** The next step of this Keylet that is like this is its last, or the one so many times later. */
  dieAt(keylet: Keylet, step: RegExp, times?: number): Promise<void>;
  close(): Promise<void>;
}

export async function createMortals(): Promise<Mortals> {
  const folder = await mkdtemp(path.join(tmpdir(), 'keylet-mortal-'));
  // Compiled once: a loader of TypeScript would slow down every start.
  const module = path.join(folder, 'kill-points.mjs');
  const source = await readFile(path.join(root, 'test/support/kill-points.ts'), 'utf8');
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 };
  await writeFile(module, transpileModule(source, { compilerOptions }).outputText);
  const file = path.join(folder, 'step');
  const write = (step: RegExp, times: number): Promise<void> =>
    writeFile(file, JSON.stringify({ step: step.source, times }));
  return {
    async start(options, dieAt) {
      if (dieAt === undefined) await rm(file, { force: true });
      else await write(dieAt, 1);
      const { nodeArgs = [], env = {} } = options;
      return startKeylet({
        ...options,
        nodeArgs: ['--import', module, ...nodeArgs],
        env: { ...env, KEYLET_KILL_POINT: file },
      });
    },
    async dieAt(keylet, step, times = 1) {
      await write(step, times);
      process.kill(keylet.pid, 'SIGUSR2');
      await eventually(() => keylet.output().includes(`Kill point ${String(step)}\n`), {
        everyMs: 5,
      });
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

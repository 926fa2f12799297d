import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { goingFirst } from './priority.ts';
import { takeReport, type OrdinaryReport, type OrdinaryStart } from './ordinary-messages.ts';

/** A client that works on beside an abuse, in a process of its own so that a busy sender does not slow it. */
export interface OrdinaryWork {
  /** What was done since the last time. */
  take(): Promise<OrdinaryReport>;
  stop(): Promise<void>;
}

export function startOrdinaryWork(start: OrdinaryStart): OrdinaryWork {
  const script = fileURLToPath(new URL('./ordinary-client.ts', import.meta.url));
  const child = spawn(...goingFirst(['--import', 'tsx', script]), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const closed = once(child, 'close');
  child.send(start);
  return {
    async take() {
      child.send(takeReport);
      const [report] = (await once(child, 'message')) as [OrdinaryReport];
      return report;
    },
    async stop() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

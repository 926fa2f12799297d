import type { Logger } from '../machinery/log.ts';
import { reportUnexpected } from '../machinery/unexpected.ts';

/** What is still to be closed gets so long before the process ends all the same. */
const closeWithinMs = 30_000;

export interface LastResortOptions {
  readonly log: Logger;
  /** Begins an orderly end. */
  stop(): void;
  /** @default process.exit */
  readonly exit?: (code: number) => void;
}

export interface LastResort {
  /** Whether an error that nobody caught is why Keylet stops. */
  readonly failed: boolean;
  /** The orderly end is through. */
  close(): void;
}

/**
 * Takes the errors that passed every boundary. Those of a single connection concern nobody else and
 * Keylet goes on. Any other left something half done, nobody knows what: Keylet ends in good order,
 * with its pods running as after a crash, and is to be started again.
 */
export function startLastResort({
  log,
  stop,
  exit = code => process.exit(code),
}: LastResortOptions): LastResort {
  let failed = false;
  let late: NodeJS.Timeout | undefined;
  const take = (error: unknown): void => {
    const isConnection = isConnectionError(error);
    reportUnexpected(log, isConnection ? 'connection' : 'uncaught', error);
    if (isConnection || failed) return;
    failed = true;
    late = setTimeout(() => exit(1), closeWithinMs).unref();
    stop();
  };
  process.on('uncaughtException', take);
  process.on('unhandledRejection', take);
  return {
    get failed() {
      return failed;
    },
    close() {
      clearTimeout(late);
      process.off('uncaughtException', take);
      process.off('unhandledRejection', take);
    },
  };
}

const connectionCodes = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT']);

/** An error of one socket, TLS session, or HTTP stream, emitted where nobody listened any more. */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code = '' } = error as NodeJS.ErrnoException;
  return (
    connectionCodes.has(code) ||
    /^ERR_(HTTP2|SSL|TLS)_/.test(code) ||
    ['ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'ERR_STREAM_PREMATURE_CLOSE'].includes(
      code,
    )
  );
}

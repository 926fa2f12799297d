import type { Logger } from './log.ts';

/*
 * Errors that nothing was prepared for. Callbacks of sockets, streams, timers and libraries have
 * nobody above them who would catch what they throw: each that can throw runs within guard(), so
 * that one request, stream or run fails and not the process.
 */

let count = 0;
const reported = new WeakSet<Error>();

/** How many there were in this process: for the metric `keylet_unexpected_errors_total`. */
export const unexpectedErrors = (): number => count;

/** Counts an error and logs it, once however many boundaries it passes. */
export function reportUnexpected(
  log: Pick<Logger, 'error'> | undefined,
  operation: string,
  error: unknown,
): void {
  if (error instanceof Error) {
    if (reported.has(error)) return;
    reported.add(error);
  }
  count += 1;
  log?.error('Unexpected error', { operation, error: describeError(error) });
}

export interface GuardOptions {
  readonly log?: Pick<Logger, 'error'> | undefined;
  /** What failed, for the log: `watch bookmarks`. */
  readonly operation: string;
  /** Ends what the callback belongs to. Must not throw. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** A callback that throws nothing and never rejects: its errors are reported. */
export function guard<A extends unknown[]>(
  { log, operation, onError }: GuardOptions,
  callback: (...args: A) => unknown,
): (...args: A) => void {
  const failed = (error: unknown): void => {
    reportUnexpected(log, operation, error);
    onError?.(error);
  };
  return (...args) => {
    try {
      const result = callback(...args);
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}

/** Their messages may quote a value: `Unexpected token 'h', "hunter2" is not valid JSON`. */
const quoting = new Set([
  'TypeError',
  'RangeError',
  'SyntaxError',
  'ReferenceError',
  'EvalError',
  'URIError',
  'DataCloneError',
]);

/**
 * What and where an error was, for the log. Messages of the language and of Node's argument checks
 * are left out, since they may quote a Secret's value; frames of the stack never do.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as NodeJS.ErrnoException;
  const isQuoting =
    quoting.has(error.name) || (typeof code === 'string' && code.startsWith('ERR_'));
  const message = isQuoting ? (code ?? '') : error.message;
  const frames = (error.stack ?? '').split('\n').filter(line => /^ {4}at /.test(line));
  const cause = error.cause === undefined ? [] : [`caused by ${describeError(error.cause)}`];
  return [message === '' ? error.name : `${error.name}: ${message}`, ...frames, ...cause].join(
    '\n',
  );
}

import { afterEach, describe, expect, test, vi } from 'vitest';
import { isConnectionError, startLastResort, type LastResort } from './last-resort.ts';

let lastResort: LastResort | undefined;
afterEach(() => {
  lastResort?.close();
  vi.useRealTimers();
});

const coded = (code: string): Error => Object.assign(new Error('some words'), { code });

function start() {
  const lines: string[] = [];
  const calls: string[] = [];
  const nothing = (): void => undefined;
  const before = new Set(process.listeners('uncaughtException'));
  lastResort = startLastResort({
    log: {
      debug: nothing,
      info: nothing,
      warn: nothing,
      error: (_message, fields = {}) => void lines.push(String(fields['operation'])),
    },
    stop: () => calls.push('stop'),
    exit: code => calls.push(`exit ${code}`),
  });
  // Its own handler only: vitest's would fail the run.
  const take = process.listeners('uncaughtException').find(each => !before.has(each));
  const uncaught = (error: Error): void => take?.call(process, error, 'uncaughtException');
  return { lines, calls, uncaught };
}

describe('startLastResort()', () => {
  test('an error of one connection is logged, and Keylet goes on', () => {
    const { lines, calls, uncaught } = start();
    uncaught(coded('ERR_HTTP2_SESSION_ERROR'));
    uncaught(coded('ECONNRESET'));
    expect(lines).toEqual(['connection', 'connection']);
    expect(calls).toEqual([]);
    expect(lastResort?.failed).toBe(false);
  });

  test('any other ends Keylet in good order, once', () => {
    vi.useFakeTimers();
    const { lines, calls, uncaught } = start();
    uncaught(new TypeError('x is not a function'));
    uncaught(new TypeError('nor is y'));
    expect(lines).toEqual(['uncaught', 'uncaught']);
    expect(calls).toEqual(['stop']);
    expect(lastResort?.failed).toBe(true);
    lastResort?.close();
    vi.advanceTimersByTime(60_000);
    expect(calls).toEqual(['stop']);
  });

  test('an orderly end that hangs is cut short', () => {
    vi.useFakeTimers();
    const { calls, uncaught } = start();
    uncaught(new TypeError('x is not a function'));
    vi.advanceTimersByTime(29_999);
    expect(calls).toEqual(['stop']);
    vi.advanceTimersByTime(1);
    expect(calls).toEqual(['stop', 'exit 1']);
  });
});

test.each(['ECONNRESET', 'EPIPE', 'ERR_HTTP2_STREAM_ERROR', 'ERR_SSL_WRONG_VERSION_NUMBER'])(
  '%s is the error of a connection',
  code => expect(isConnectionError(coded(code))).toBe(true),
);

test.each([new TypeError('x'), coded('ENOSPC'), coded('ERR_INVALID_ARG_TYPE'), 'text'])(
  '%s is not',
  error => expect(isConnectionError(error)).toBe(false),
);

import type { Runtime } from '../runtime.ts';

/** The calls of the port that take part: `watch` and `close` neither fail nor wait. */
export type RuntimeMethod = Exclude<keyof Runtime, 'watch' | 'close'>;

export interface RuntimeCall {
  readonly method: RuntimeMethod;
  readonly args: readonly unknown[];
}

/** A call that waits until the test lets it go on. */
export interface HeldCall {
  /** Resolves when the call has been made. */
  readonly reached: Promise<void>;
  /** Lets it do its work. */
  release(): void;
  /** Lets it reject instead. */
  fail(error: Error): void;
}

/** What a test can ask of the calls to a fake runtime. */
export interface CallControl {
  /** Every call so far, the oldest first. */
  readonly calls: readonly RuntimeCall[];
  /** The next calls of a method reject. @default times 1 */
  failNext(method: RuntimeMethod, error: Error, times?: number): void;
  /** The next call of a method waits. */
  holdNext(method: RuntimeMethod): HeldCall;
}

/** Wraps a method, so that `CallControl` decides what becomes of its calls. */
export type Intercept = <A extends unknown[], R>(
  method: RuntimeMethod,
  work: (...args: A) => R,
) => (...args: A) => Promise<R>;

/** Runs at the start of one call; rejects where the call has to fail. */
type Gate = () => Promise<void>;

export function createCallControl(): { control: CallControl; intercept: Intercept } {
  const calls: RuntimeCall[] = [];
  const gates = new Map<RuntimeMethod, Gate[]>();
  const addGate = (method: RuntimeMethod, gate: Gate): void =>
    void gates.set(method, [...(gates.get(method) ?? []), gate]);

  const intercept: Intercept =
    (method, work) =>
    async (...args) => {
      calls.push({ method, args });
      await gates.get(method)?.shift()?.();
      return work(...args);
    };
  const control: CallControl = {
    calls,
    failNext(method, error, times = 1) {
      for (let count = 0; count < times; count += 1) addGate(method, () => Promise.reject(error));
    },
    holdNext(method) {
      let reach = (): void => undefined;
      const reached = new Promise<void>(resolve => (reach = resolve));
      let release = (): void => undefined;
      let fail: (error: Error) => void = () => undefined;
      const decided = new Promise<void>((resolve, reject) => {
        release = resolve;
        fail = reject;
      });
      // It may be told to fail before it is reached.
      decided.catch(() => undefined);
      addGate(method, () => {
        reach();
        return decided;
      });
      return { reached, release: () => release(), fail: error => fail(error) };
    },
  };
  return { control, intercept };
}

export type RuntimeErrorCode =
  'not-found' | 'already-exists' | 'timeout' | 'unavailable' | 'invalid-argument' | 'unknown';

/** `message` is the runtime's own text, as the kubelet shows it (`rpc error: code = … desc = …`). */
export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode;

  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RuntimeError';
    this.code = code;
  }
}

import { serviceUnavailable, type StatusError } from '../../machinery/status.ts';

/** A version that the store has not reached, as Kubernetes tells it. */
export function tooLarge(asked: number, current: number): StatusError {
  const error = serviceUnavailable(`Too large resource version: ${asked}, current: ${current}`);
  Object.assign(error.status, {
    reason: 'Timeout',
    code: 504,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  });
  return error;
}

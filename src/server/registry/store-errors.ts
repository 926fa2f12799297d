import {
  expired,
  failure,
  internalError,
  serviceUnavailable,
  StatusError,
} from '../../machinery/status.ts';
import { StoreError } from '../../store/store.ts';

/** A version that the store has not reached, as Kubernetes tells it. */
export const tooLarge = (asked: number, current: number): StatusError =>
  failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });

/** A watch from before what is kept. */
export const tooOld = (asked: number, oldest: number): StatusError =>
  expired(`too old resource version: ${asked} (${oldest})`);

/** A list as of a revision that is no longer kept. */
export const listTooOld = (): StatusError =>
  expired('The resourceVersion for the provided list is too old.');

/** A page of such a list. @param token goes on as of now */
export function continueTooOld(token: string): StatusError {
  const error = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  error.status.metadata.continue = token;
  return error;
}

/** With `Retry-After`: clients such as kubectl then try again by themselves. */
const cannotWrite = ({ code, message }: StoreError): StatusError => {
  const remedy =
    code === 'full'
      ? "Free space on the disk that holds Keylet's data folder"
      : "Repair the disk that holds Keylet's data folder";
  const detail = `cannot write to the store: ${message}. ${remedy}; writes resume by themselves`;
  return failure(507, 'InternalError', `Internal error occurred: ${detail}`, {
    causes: [{ message: detail }],
    retryAfterSeconds: 1,
  });
};

/** An object whose stored value cannot be decrypted. @param cause `corrupt` */
export const damaged = (key: string, cause: StoreError): StatusError =>
  internalError(
    `unable to transform key ${JSON.stringify(key)}: its stored value is damaged or cannot be decrypted. Restore it from a backup, or delete it`,
    cause,
  );

export const isDamaged = (error: unknown): error is StatusError =>
  error instanceof StatusError && isCorrupt(error.cause);

export const isCorrupt = (error: unknown): error is StoreError =>
  error instanceof StoreError && error.code === 'corrupt';

/** Turns the store's passing errors into the API's; the others are for the caller, or faults of ours. */
export async function guarded<R>(operation: () => Promise<R>): Promise<R> {
  try {
    return await operation();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'unavailable' || error.code === 'closed')
      throw serviceUnavailable(error.message);
    if (error.code === 'full' || error.code === 'unwritable') throw cannotWrite(error);
    throw error;
  }
}

import { RuntimeError } from '../runtime-error.ts';

/** containerd 1.x rejects the stop of a container or sandbox that was removed meanwhile. */
export function ignoreNotFound(error: unknown): void {
  if (!(error instanceof RuntimeError) || error.code !== 'not-found') throw error;
}

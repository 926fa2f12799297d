import { closeSync, openSync } from 'node:fs';
import type { Logger } from '../../../machinery/log.ts';

export interface DescriptorCheck {
  /** To be called from time to time. */
  sweep(): void;
}

/**
 * Says, once an episode, that no file can be opened any more: Node then closes what it accepts and tells nobody.
 * @param open opens a file; for tests
 */
export function createDescriptorCheck(
  log: Pick<Logger, 'warn'>,
  open: () => number = () => openSync('/dev/null', 'r'),
): DescriptorCheck {
  let isOut = false;
  return {
    sweep() {
      const wasOut = isOut;
      isOut = isOutOfDescriptors(open);
      if (isOut && !wasOut)
        log.warn(
          'No file descriptors left: new connections are closed. Raise the limit, ulimit -n',
        );
    },
  };
}

function isOutOfDescriptors(open: () => number): boolean {
  try {
    closeSync(open());
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EMFILE' || code === 'ENFILE';
  }
}

import type { Logger } from '../../machinery/log.ts';
import type { Pki } from './pki.ts';

/** Short, because the clock may be set at any time, and a long timer would not notice. */
const checkEveryMs = 60_000;

/** Keeps the certificates of a running Keylet good, whatever becomes of the clock. */
export function startRenewal(
  pki: Pick<Pki, 'renew'>,
  log: Logger,
  everyMs = checkEveryMs,
): { close(): Promise<void> } {
  let checking: Promise<void> | undefined;
  const check = async (): Promise<void> => {
    try {
      if (await pki.renew()) log.info('Certificates were renewed');
    } catch (error) {
      log.error('Certificates were not renewed; trying again', {
        after: `${everyMs / 1000} s`,
        error: String(error),
      });
    }
  };
  const timer = setInterval(() => {
    checking ??= check().finally(() => (checking = undefined));
  }, everyMs).unref();
  return {
    async close() {
      clearInterval(timer);
      await checking;
    },
  };
}

import type { Logger } from './log.ts';

/** What it needs of a net.Server. */
export interface AcceptingServer {
  maxConnections: number;
  on(event: 'drop' | 'connection', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface ListenerGuard {
  /** For the log: whose listener it is. */
  readonly name: string;
  /** Open at a time; those beyond are closed at once, so that files stay for everything else. */
  readonly maxConnections?: number | undefined;
  readonly log: Logger;
}

/** A server that listens goes on whatever its accepts meet (EMFILE, ENFILE, ENOBUFS …), and says so once an episode. */
export function guardListener(
  server: AcceptingServer,
  { name, maxConnections, log }: ListenerGuard,
): void {
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  let isRefusing = false;
  server.on('drop', () => {
    if (!isRefusing)
      log.warn('Too many connections: new ones are closed', { name, maxConnections });
    isRefusing = true;
  });
  server.on('connection', () => {
    isRefusing = false;
  });
  server.on('error', error =>
    log.error('A connection was not accepted', { name, error: error.message }),
  );
}

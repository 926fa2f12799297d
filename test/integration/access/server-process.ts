/** An API server in a process of its own: `tsx server-process.ts <data folder>`. Tells its parent its port. */
import path from 'node:path';
import type { Logger } from '../../../src/machinery/log.ts';
import { openPki } from '../../../src/server/pki/pki.ts';
import { startServer } from '../../../src/server/start-server.ts';
import { openStore } from '../../../src/store/open-store.ts';

const [, , dataDir = ''] = process.argv;
const quiet = (): void => undefined;
const log: Logger = {
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: (message, fields) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
};
const [store, pki] = await Promise.all([
  openStore({ path: path.join(dataDir, 'store'), keysDir: path.join(dataDir, 'keys') }),
  openPki({
    dir: path.join(dataDir, 'pki'),
    names: ['127.0.0.1'],
    nodeName: 'node-a',
    nodeNames: ['127.0.0.1'],
  }),
]);
const server = await startServer({
  store,
  pki,
  host: '127.0.0.1',
  port: 0,
  version: '0.0.0',
  log,
});
process.once('disconnect', () => process.exit());
process.send?.({ port: server.port });

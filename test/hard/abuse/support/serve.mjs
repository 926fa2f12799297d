// The API server and the controllers of a data folder, from dist/, as `keylet up` starts them but without a node.
import path from 'node:path';
import { startMemoryRelease } from '../../../../dist/cli/release-memory.js';
import { createClient } from '../../../../dist/client/http-client.js';
import { createLogger } from '../../../../dist/machinery/log.js';
import { startControllers } from '../../../../dist/controllers/start-controllers.js';
import { openPki } from '../../../../dist/server/pki/pki.js';
import { startServer } from '../../../../dist/server/start-server.js';
import { openStore } from '../../../../dist/store/open-store.js';

const dataDir = process.argv[2];
const log = createLogger({ level: 'warn', write: line => process.stderr.write(line) });
const names = ['127.0.0.1'];
const [store, pki] = await Promise.all([
  openStore({ path: path.join(dataDir, 'store'), keysDir: path.join(dataDir, 'keys') }),
  openPki({ dir: path.join(dataDir, 'pki'), names, nodeName: 'node', nodeNames: names, log }),
]);
const server = await startServer({
  store,
  pki,
  host: '127.0.0.1',
  port: 0,
  version: '0.0.0',
  log,
});
startControllers({
  client: createClient({
    server: `https://127.0.0.1:${server.port}`,
    certificateAuthority: pki.ca,
    clientCertificate: pki.controllers.cert,
    clientKey: pki.controllers.key,
  }),
  resources: server.resources,
  certificateAuthority: () => pki.ca,
  serviceAccountKey: pki.serviceAccountKey,
  log,
});
startMemoryRelease();
process.send({ port: server.port });
// A test that is gone leaves no server behind.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

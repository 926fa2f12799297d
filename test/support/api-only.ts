import { hostname } from 'node:os';
import path from 'node:path';
import { writeFile } from 'node:fs/promises';
import { createClient } from '../../src/client/http-client.ts';
import { startControllers } from '../../src/controllers/start-controllers.ts';
import type { Logger } from '../../src/machinery/log.ts';
import { kubeconfigText } from '../../src/server/pki/kubeconfig.ts';
import { openPki } from '../../src/server/pki/pki.ts';
import type { ResourceRegistry } from '../../src/server/resources/resource-registry.ts';
import { startServer } from '../../src/server/start-server.ts';
import { openStore } from '../../src/store/open-store.ts';
import { createKubectl, type Kubectl } from './kubectl-cli.ts';

export interface ApiOnly {
  readonly kubectl: Kubectl;
  readonly resources: ResourceRegistry;
  close(): Promise<void>;
}

const nothing = (): void => undefined;
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** The API and the controllers of a data folder, in this process: what goes on while the node's agent is down. */
export async function startApiOnly(dataDir: string, log = silent): Promise<ApiOnly> {
  const names = ['127.0.0.1'];
  const nodeName = hostname().toLowerCase();
  const [store, pki] = await Promise.all([
    openStore({ path: path.join(dataDir, 'store'), keysDir: path.join(dataDir, 'keys') }),
    openPki({ dir: path.join(dataDir, 'pki'), names, nodeName, nodeNames: [...names, nodeName] }),
  ]);
  const server = await startServer({
    store,
    pki,
    host: '127.0.0.1',
    port: 0,
    version: '0.0.0',
    log,
  });
  const url = `https://127.0.0.1:${server.port}`;
  const { cert, key } = pki.controllers;
  const client = createClient({
    server: url,
    certificateAuthority: pki.ca,
    clientCertificate: cert,
    clientKey: key,
  });
  const controllers = startControllers({
    client,
    resources: server.resources,
    certificateAuthority: () => pki.ca,
    serviceAccountKey: pki.serviceAccountKey,
    log,
  });
  const kubeconfig = path.join(dataDir, 'api-only.kubeconfig');
  await writeFile(kubeconfig, kubeconfigText(url, pki.ca, pki.admin), { mode: 0o600 });
  return {
    kubectl: createKubectl(kubeconfig),
    resources: server.resources,
    async close() {
      await controllers.close();
      await client.close();
      await server.close();
      await store.close();
    },
  };
}

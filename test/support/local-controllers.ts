import type { KubeClient } from '../../src/client/client.ts';
import { createClient } from '../../src/client/http-client.ts';
import { startControllers } from '../../src/controllers/start-controllers.ts';
import { startLocalApi, type LocalApi } from './local-api.ts';

export interface LocalControllers {
  readonly api: LocalApi;
  /** The administrator's. */
  readonly admin: KubeClient;
  /** `METHOD plural` of each request of the controllers, lists with their limit. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** An API server and the controllers in this process, on a store of their own: no node. */
export async function startLocalControllers(): Promise<LocalControllers> {
  const api = await startLocalApi();
  const { pki, port } = api;
  const clientOf = ({ cert, key }: { cert: string; key: string }): KubeClient =>
    createClient({
      server: `https://127.0.0.1:${port}`,
      certificateAuthority: pki.ca,
      clientCertificate: cert,
      clientKey: key,
    });
  const requests: string[] = [];
  const client = clientOf(pki.controllers);
  const counted: KubeClient = {
    ...client,
    metadata(ref) {
      const objects = client.metadata(ref);
      return {
        ...objects,
        delete(...args) {
          requests.push(`DELETE ${ref.plural}`);
          return objects.delete(...args);
        },
        list(options) {
          requests.push(`LIST ${ref.plural} ${options?.limit ?? 'whole'}`);
          return objects.list(options);
        },
      };
    },
  };
  const nothing = (): void => undefined;
  const controllers = startControllers({
    client: counted,
    resources: api.resources,
    certificateAuthority: () => pki.ca,
    serviceAccountKey: pki.serviceAccountKey,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  });
  const admin = clientOf(pki.admin);
  return {
    api,
    admin,
    requests,
    async close() {
      await controllers.close();
      await Promise.all([client.close(), admin.close()]);
      await api.close();
    },
  };
}

import { mkdtemp, rm } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LogFields, Logger } from '../../src/machinery/log.ts';
import { openPki, type KeyPair, type Pki } from '../../src/server/pki/pki.ts';
import type { ResourceRegistry } from '../../src/server/resources/resource-registry.ts';
import { startServer, type ServerOptions } from '../../src/server/start-server.ts';
import type { Store } from '../../src/store/store.ts';
import { openStore } from '../../src/store/open-store.ts';

export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
}

export interface LocalAnswer {
  readonly code: number;
  readonly text: string;
  /** The parsed body; `{}` where it is not JSON. */
  readonly body: { readonly message?: string; readonly [field: string]: unknown };
}

export interface LocalRequest {
  readonly method?: string;
  readonly path: string;
  readonly body?: string | Buffer | object;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default the administrator's; `null` for none */
  readonly as?: KeyPair | null;
  readonly token?: string;
}

export interface LocalApi {
  readonly pki: Pki;
  readonly port: number;
  readonly dataDir: string;
  readonly store: Store;
  readonly resources: ResourceRegistry;
  /** Everything the server logged. */
  readonly log: readonly LogLine[];
  ask(request: LocalRequest): Promise<LocalAnswer>;
  close(): Promise<void>;
}

/** An API server in this process, on a store of its own: no controllers, no node. */
export async function startLocalApi(
  options: Pick<ServerOptions, 'inFlight' | 'maxConnections'> = {},
): Promise<LocalApi> {
  const dir = await mkdtemp(path.join(tmpdir(), 'keylet-api-'));
  const log: LogLine[] = [];
  const line =
    (level: keyof Logger) =>
    (message: string, fields: LogFields = {}): void =>
      void log.push({ level, message, fields });
  const [store, pki] = await Promise.all([
    openStore({ path: path.join(dir, 'store'), keysDir: path.join(dir, 'keys') }),
    openPki({
      dir: path.join(dir, 'pki'),
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
    ...options,
    log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
  });
  return {
    pki,
    port: server.port,
    dataDir: dir,
    store,
    resources: server.resources,
    log,
    ask: asked => ask({ host: '127.0.0.1', port: server.port, ca: pki.ca }, pki, asked),
    async close() {
      await server.close();
      await store.close();
      await rm(dir, { recursive: true });
    },
  };
}

function ask(
  server: RequestOptions,
  pki: Pki,
  { method, path: url, body, contentType = 'application/json', headers, as, token }: LocalRequest,
): Promise<LocalAnswer> {
  const bytes =
    body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
      ? (body ?? '')
      : JSON.stringify(body);
  const { cert, key } = as ?? pki.admin;
  const credentials = as === null || token !== undefined ? {} : { cert, key };
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...server,
        ...credentials,
        agent: false,
        method: method ?? (bytes.length === 0 ? 'GET' : 'POST'),
        path: url,
        headers: {
          'content-type': contentType,
          'content-length': Buffer.byteLength(bytes),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
      },
      response => {
        response
          .toArray()
          .then((chunks: Buffer[]) => {
            const text = Buffer.concat(chunks).toString();
            resolve({ code: response.statusCode ?? 0, text, body: parsed(text) });
          })
          .catch(reject);
      },
    );
    sent.once('error', reject);
    sent.end(bytes);
  });
}

function parsed(text: string): LocalAnswer['body'] {
  try {
    return JSON.parse(text) as LocalAnswer['body'];
  } catch {
    return {};
  }
}

/** A server in a process of its own with the fixture in it, and who may talk to it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { mintCertificate } from '../../../src/server/pki/mint.ts';
import type { FindObject, KubernetesObject } from './bodies.ts';
import { startFakeNode, type FakeNode } from './fake-node.ts';
import { fixtureFor } from './fixture.ts';
import type { DeclaredResource, DeclaredResources } from './reading.ts';
import { administrator, roles, type Role } from './roles.ts';
import { http2Transport, type Connection } from './transport.ts';

export interface Cluster {
  readonly declared: DeclaredResources;
  readonly find: FindObject;
  /** Whether the fixture has an object of this resource, namespace and name. */
  holds(resource: string, namespace: string, name: string): boolean;
  connectionOf(role: Role): Connection;
  /** Grows with every write, of whatever resource. @throws ServerEndedError */
  revision(): Promise<number>;
  /** How many requests have reached the node's server. */
  reachedNode(): number;
  /** What is not as the fixture made it. */
  changes(): Promise<string[]>;
  close(): Promise<void>;
}

/** The server's process is no more, or does not answer its administrator. */
export class ServerEndedError extends Error {}

export async function startCluster(): Promise<Cluster> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-access-'));
  const server = await startProcess(dataDir);
  const pki = async (file: string) => readFile(path.join(dataDir, 'pki', file), 'utf8');
  const ca = { cert: await pki('ca.crt'), key: await pki('ca.key') };
  const node = await startFakeNode(
    ca.cert,
    await mintCertificate(ca, {
      commonName: 'system:node:node-a',
      names: ['127.0.0.1'],
      usage: 'server',
    }),
  );
  const connections = new Map<Role, Connection>();
  const connect = async (role: Role, headers: Record<string, string>): Promise<Connection> => {
    const { credentials } = role;
    const certificate =
      credentials.type !== 'certificate'
        ? {}
        : await mintCertificate(ca, {
            commonName: credentials.user,
            ...(credentials.group === undefined ? {} : { organization: credentials.group }),
            names: [],
            usage: 'client',
          });
    return { port: server.port, ca: ca.cert, ...certificate, headers };
  };
  const api = apiOf(await connect(administrator, {}));
  const revisionBefore = await revisionOf(api);
  const objects = await fill(api, node);
  for (const role of roles) {
    const { credentials, headers = {} } = role;
    const token =
      credentials.type === 'token'
        ? { authorization: `Bearer ${await tokenOf(api, credentials)}` }
        : {};
    connections.set(role, await connect(role, { ...headers, ...token }));
  }
  const declared = await discover(api);
  const before = await snapshot(api, declared);
  // An effect is found by the revision: it has to count the writes of every resource.
  if ((await revisionOf(api)) < revisionBefore + objects.length)
    throw new Error('The revision misses writes');
  return {
    declared,
    find: (resource, namespace, name) => {
      const named = objects.filter(
        each => each.resource === resource && (name ?? each.name) === each.name,
      );
      return (named.find(each => each.namespace === namespace) ?? named[0])?.object;
    },
    holds: (resource, namespace, name) =>
      objects.some(
        each => each.resource === resource && each.namespace === namespace && each.name === name,
      ),
    connectionOf(role) {
      const found = connections.get(role);
      if (found === undefined) throw new Error(`No such role: ${role.name}`);
      return found;
    },
    async revision() {
      try {
        return await revisionOf(api);
      } catch (error) {
        throw new ServerEndedError(await server.lastWords(), { cause: error });
      }
    },
    reachedNode: node.reached,
    async changes() {
      const after = await snapshot(api, declared);
      const keys = new Set([...before.keys(), ...after.keys()]);
      return [...keys].filter(key => before.get(key) !== after.get(key));
    },
    async close() {
      api.close();
      await server.close();
      await node.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function revisionOf(api: Api): Promise<number> {
  const list = (await api.read('/api/v1/configmaps?limit=1')) as ListAnswer;
  return Number(list.metadata.resourceVersion);
}

interface ServerProcess {
  readonly port: number;
  /** How it ended; waits a little for that. */
  lastWords(): Promise<string>;
  close(): Promise<void>;
}

async function startProcess(dataDir: string): Promise<ServerProcess> {
  const file = path.join(import.meta.dirname, 'server-process.ts');
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', file, dataDir], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-4000);
  });
  const ended = once(child, 'close');
  const [message] = (await Promise.race([
    once(child, 'message'),
    ended.then(() => {
      throw new Error(`The server did not start: ${said}`);
    }),
  ])) as [{ port: number }];
  return {
    port: message.port,
    async lastWords() {
      const how = await Promise.race([
        ended.then(() => `it ended by ${child.signalCode ?? `code ${child.exitCode}`}`),
        setTimeout(5000, 'it does not answer', { ref: false }),
      ]);
      return `${how}: ${said}`;
    },
    async close() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

interface Api {
  read(target: string): Promise<unknown>;
  write(method: string, target: string, body: object): Promise<KubernetesObject>;
  close(): void;
}

/** The administrator's requests, each of which has to succeed. */
function apiOf(connection: Connection): Api {
  const transport = http2Transport(connection);
  const ask = async (method: string, target: string, body = ''): Promise<unknown> => {
    const { code, text, problem } = await transport.send({
      method,
      target,
      contentType: 'application/json',
      body,
    });
    if (code < 200 || code > 299)
      throw new Error(`${method} ${target}: ${code} ${problem ?? text}`);
    return JSON.parse(text);
  };
  return {
    read: target => ask('GET', target),
    write: async (method, target, body) =>
      (await ask(method, target, JSON.stringify(body))) as KubernetesObject,
    close: () => transport.close(),
  };
}

async function fill(api: Api, node: FakeNode) {
  const objects = [];
  for (const { collection, resource, object } of fixtureFor(roles)) {
    let stored = await api.write('POST', collection, object);
    const { name, namespace = '' } = object.metadata;
    if (resource === 'nodes') {
      stored = await api.write('PUT', `${collection}/${name}/status`, {
        ...stored,
        status: {
          addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
          daemonEndpoints: { kubeletEndpoint: { Port: node.port } },
        },
      });
    }
    objects.push({ resource, name, namespace, object: stored });
  }
  return objects;
}

async function tokenOf(
  api: Api,
  { namespace, serviceAccount }: { readonly namespace: string; readonly serviceAccount: string },
): Promise<string> {
  const target = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
  const { status } = await api.write('POST', target, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [] },
  });
  return (status as { token: string }).token;
}

interface DiscoveredResource extends Omit<DeclaredResource, 'verbs'> {
  readonly name: string;
  readonly verbs: readonly string[];
}

async function discover(api: Api): Promise<DeclaredResources> {
  const { groups } = (await api.read('/apis')) as {
    groups: { versions: { groupVersion: string }[] }[];
  };
  const named = groups.flatMap(group => group.versions.map(each => each.groupVersion));
  const declared = new Map<string, DeclaredResource>();
  for (const version of ['v1', ...named]) {
    const document = version === 'v1' ? '/api/v1' : `/apis/${version}`;
    const { resources } = (await api.read(document)) as { resources: DiscoveredResource[] };
    for (const { name, kind, namespaced, verbs } of resources) {
      const key = `${version === 'v1' ? '/v1' : version}/${name}`;
      declared.set(key, { kind, namespaced, verbs: new Set(verbs) });
    }
  }
  return declared;
}

interface ListAnswer {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly KubernetesObject[];
}

/** The version of every object, by its resource and place. */
async function snapshot(api: Api, declared: DeclaredResources): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  for (const [key, { verbs }] of declared) {
    if (!verbs.has('list')) continue;
    const list = (await api.read(
      key.startsWith('/') ? `/api${key}` : `/apis/${key}`,
    )) as ListAnswer;
    for (const { metadata } of list.items) {
      const { namespace = '', name, resourceVersion } = metadata;
      versions.set(`${key} ${namespace}/${name}`, String(resourceVersion));
    }
  }
  return versions;
}

import { abusedNamespace, type Sender } from './abuse.ts';
import { createClient, type Client } from './client.ts';
import { startOrdinaryWork, type OrdinaryWork } from './ordinary-work.ts';
import { startServerProcess, type ServerProcess } from './server-process.ts';

/** A server, a client that does ordinary work with it, and those who may abuse it. */
export interface Arena {
  readonly server: ServerProcess;
  readonly ordinary: OrdinaryWork;
  readonly admin: Client;
  /** Resolves to true: an abuse of what is no more is over. */
  readonly serverEnded: Promise<boolean>;
  clientOf(sender: Sender): Promise<Client>;
  /** Whether it is as good as new. */
  usable(): boolean;
  giveUp(): void;
  stop(): Promise<void>;
}

const ordinaryNamespace = 'ordinary';

export async function startArena(): Promise<Arena> {
  const server = await startServerProcess();
  const { port, ca } = server;
  const admin = createClient(port, ca, await server.issue('arena', 'system:masters'));
  await prepare(admin);
  const token = await defaultToken(admin);
  const ordinary = startOrdinaryWork({
    url: `https://127.0.0.1:${port}`,
    ca,
    ...(await server.issue('ordinary')),
    namespace: ordinaryNamespace,
  });
  let usable = true;
  return {
    server,
    ordinary,
    admin,
    serverEnded: server.ended.then(() => true),
    async clientOf(sender) {
      if (sender === 'anonymous') return createClient(port, ca);
      if (sender === 'pod token') return createClient(port, ca, { token });
      return createClient(port, ca, await server.issue(sender));
    },
    usable: () => usable && server.alive(),
    giveUp: () => (usable = false),
    async stop() {
      await ordinary.stop();
      admin.close();
      await server.stop();
    },
  };
}

async function prepare(admin: Client): Promise<void> {
  const post = async (path: string, body: object): Promise<void> =>
    void (await admin.mustCall({ method: 'POST', path, body: JSON.stringify(body) }));
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const bind = (clusterRole: string, user: string) => ({
    metadata: { name: user.replaceAll(' ', '-') },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
  for (const [namespace, user] of [
    [ordinaryNamespace, 'ordinary'],
    [abusedNamespace, 'namespace admin'],
  ] as const) {
    await post('/api/v1/namespaces', { metadata: { name: namespace } });
    await post(`${rbac}/namespaces/${namespace}/rolebindings`, bind('admin', user));
  }
  await post(
    `${rbac}/clusterrolebindings`,
    bind('system:auth-delegator', 'token reviewer' satisfies Sender),
  );
  const secrets = `/api/v1/namespaces/${ordinaryNamespace}/secrets`;
  const value = Buffer.alloc(1024, 7).toString('base64');
  for (let i = 0; i < 20; i += 1) {
    await post(secrets, {
      metadata: { name: `some-${i}`, labels: { some: 'true' } },
      data: { value },
    });
  }
  await post(secrets, { metadata: { name: 'watched' }, data: { value } });
}

/** What is in every pod of the namespace. The account is made by a controller: not at once. */
async function defaultToken(admin: Client): Promise<string> {
  for (let attempts = 0; ; attempts += 1) {
    const { outcome, text } = await admin.call({
      method: 'POST',
      path: `/api/v1/namespaces/${abusedNamespace}/serviceaccounts/default/token`,
      body: '{}',
    });
    if (outcome === 201) return (JSON.parse(text) as { status: { token: string } }).status.token;
    if (attempts > 100) throw new Error(`no token of the default account: ${outcome} ${text}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

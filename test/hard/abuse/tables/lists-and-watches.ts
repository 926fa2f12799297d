import { inNamespace, type Abuse, type AbuseContext } from '../support/abuse.ts';
import { pause, repeat } from '../support/sending.ts';

const secrets = inNamespace('secrets');
const decided = ['2xx', '4xx'] as const;
const oneMiB = Buffer.alloc(1024 * 1024 - 100, 7).toString('base64');

/** Those who need them follow one another; the last removes them. */
async function largeSecrets({ admin, signal }: AbuseContext, count: number): Promise<void> {
  const last = await admin.call({ path: `${secrets}/large-${count - 1}` });
  if (last.outcome === 200) return;
  await repeat(
    { signal },
    i =>
      admin.mustCall({
        method: 'POST',
        path: secrets,
        body: `{"metadata":{"name":"large-${i}"},"data":{"value":"${oneMiB}"}}`,
      }),
    { parallel: 4, count, forMs: 60_000 },
  );
}

const removeSecrets = async ({ admin }: AbuseContext): Promise<void> =>
  void (await admin.mustCall({ method: 'DELETE', path: secrets }));

/** Ten at once, twice. */
const lists =
  (accept: string, query = '') =>
  async ({ client, tally, ...context }: AbuseContext): Promise<void> =>
    repeat(
      context,
      async () =>
        tally.add((await client.call({ path: `${secrets}${query}`, headers: { accept } })).outcome),
      { parallel: 10, count: 20, forMs: 10_000 },
    );

const large = {
  sender: 'namespace admin',
  expects: decided,
  prepare: (context: AbuseContext) => largeSecrets(context, 100),
} as const;

const table = 'application/json;as=Table;g=meta.k8s.io;v=v1';

/** Changes one secret of almost 1 MiB, again and again. */
async function change({ admin }: AbuseContext, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    await admin.mustCall({
      method: 'PUT',
      path: `${secrets}/large-0`,
      body: `{"metadata":{"name":"large-0","annotations":{"n":"${i}"}},"data":{"value":"${oneMiB}"}}`,
    });
  }
}

/** Each of them concerns all watches of the namespace. */
async function createSmall({ admin, signal }: AbuseContext, count: number): Promise<void> {
  await repeat(
    { signal },
    i =>
      admin.mustCall({ method: 'POST', path: secrets, body: `{"metadata":{"name":"small-${i}"}}` }),
    { count },
  );
}

export const listsAndWatches: readonly Abuse[] = [
  { ...large, name: 'ten lists of 146 MB at once, JSON', send: lists('application/json') },
  { ...large, name: 'ten lists of 146 MB at once, YAML', send: lists('application/yaml') },
  {
    ...large,
    name: 'ten lists of 146 MB at once, as a Table with the objects',
    send: lists(table, '?includeObject=Object'),
  },
  { ...large, name: 'ten lists of 146 MB at once, as a Table', send: lists(table) },
  {
    ...large,
    name: 'ten lists of 146 MB at once, readable',
    send: lists('application/json', '?pretty=true'),
  },
  {
    ...large,
    name: 'lists of 146 MB that are never read, over 40 connections',
    expects: ['closed'],
    send: async ({ client, tally, port, ...context }) => {
      await repeat(
        context,
        async () => {
          const socket = await client.tls();
          socket.pause();
          socket.write(`GET ${secrets} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
          tally.add('closed');
        },
        { parallel: 10, count: 40, forMs: 5000 },
      );
      await pause(3000);
    },
    cleanUp: removeSecrets,
  },
  {
    name: '300 watches that are never read, over 6 MB of changes, HTTP/1.1',
    sender: 'namespace admin',
    expects: ['closed'],
    prepare: context => largeSecrets(context, 1),
    send: async context => {
      const { client, tally, port } = context;
      await repeat(
        context,
        async () => {
          const socket = await client.tls();
          socket.pause();
          socket.write(
            `GET ${secrets}?watch=true HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: application/json\r\n\r\n`,
          );
          socket.once('close', () => tally.add('closed'));
        },
        { parallel: 8, count: 300, forMs: 10_000 },
      );
      await change(context, 5);
      await pause(1000);
    },
  },
  {
    name: '300 watches that are never read, over 6 MB of changes, one HTTP/2 connection',
    sender: 'namespace admin',
    expects: ['2xx', '4xx', 'closed'],
    prepare: context => largeSecrets(context, 1),
    send: async context => {
      const { client, tally } = context;
      const session = client.http2();
      for (let i = 0; i < 300; i += 1) {
        const stream = session.request({ ':path': `${secrets}?watch=true` });
        stream.on('response', headers => tally.add(Number(headers[':status'])));
        stream.on('error', () => undefined);
      }
      await pause(1000);
      await change(context, 5);
      await pause(1000);
    },
  },
  {
    name: '300 watches as Tables, never read, over 6 MB of changes',
    sender: 'namespace admin',
    expects: ['2xx', '4xx', 'closed'],
    prepare: context => largeSecrets(context, 1),
    send: async context => {
      const { client, tally } = context;
      const session = client.http2();
      for (let i = 0; i < 300; i += 1) {
        const stream = session.request({
          ':path': `${secrets}?watch=true&includeObject=Object`,
          accept: table,
        });
        stream.on('response', headers => tally.add(Number(headers[':status'])));
        stream.on('error', () => undefined);
      }
      await pause(1000);
      await change(context, 5);
      await pause(1000);
    },
    cleanUp: removeSecrets,
  },
  {
    name: '3,000 watches begun and left, 100 of them at once',
    sender: 'namespace admin',
    expects: ['2xx', '4xx', 'closed'],
    send: async ({ client, tally, ...context }) => {
      let session = client.http2();
      await repeat(
        context,
        () =>
          new Promise<void>(resolve => {
            if (session.destroyed || session.closed) session = client.http2();
            const stream = session.request({ ':path': `${secrets}?watch=true` });
            stream.once('response', headers => {
              tally.add(Number(headers[':status']));
              stream.close();
            });
            stream.on('error', () => undefined);
            stream.once('close', () => resolve());
          }),
        { parallel: 100, count: 3000, forMs: 5000 },
      );
    },
  },
  {
    name: '2,000 watches, each with a different selector of 490 requirements, while secrets change',
    sender: 'namespace admin',
    expects: ['2xx', '4xx', 'closed'],
    send: async context => {
      const { client, tally } = context;
      const conditions = Array.from({ length: 490 }, (_, i) => `!a${i}`).join(',');
      const session = client.http2();
      for (let i = 0; i < 2000; i += 1) {
        const selector = encodeURIComponent(`b!=${i},${conditions}`);
        const stream = session.request({
          ':path': `${secrets}?watch=true&labelSelector=${selector}`,
        });
        stream.on('response', headers => tally.add(Number(headers[':status'])));
        stream.on('error', () => undefined);
        stream.resume();
      }
      await pause(1000);
      await createSmall(context, 20);
      await pause(2000);
    },
    cleanUp: removeSecrets,
  },
  {
    name: '2,000 watches that stay',
    sender: 'namespace admin',
    expects: ['2xx', '4xx', 'closed'],
    send: async ({ client, tally }) => {
      const session = client.http2();
      for (let i = 0; i < 2000; i += 1) {
        const stream = session.request({ ':path': `${secrets}?watch=true` });
        stream.on('response', headers => tally.add(Number(headers[':status'])));
        stream.on('error', () => undefined);
        stream.resume();
      }
      await pause(3000);
    },
  },
];

import { Server, ServerCredentials, status, type sendUnaryData } from '@grpc/grpc-js';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { grpcProbe } from './grpc-probe.ts';

const serving = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

let server: Server | undefined;
afterEach(() => server?.forceShutdown());

/** A gRPC server with, or without, the health service. @returns its port */
async function serve(
  answer?: (service: string, done: sendUnaryData<number>) => void,
): Promise<number> {
  const own = new Server();
  server = own;
  if (answer !== undefined)
    own.addService(
      {
        Check: {
          path: '/grpc.health.v1.Health/Check',
          requestStream: false,
          responseStream: false,
          requestSerialize: (service: string) => Buffer.from(service),
          // Field 1, a short string; a message without it is empty.
          requestDeserialize: (bytes: Buffer) => ({ service: bytes.toString('utf8', 2) }),
          responseSerialize: (code: number) => (code === 0 ? Buffer.of() : Buffer.of(8, code)),
          responseDeserialize: () => 0,
        },
      },
      {
        Check: ({ request }: { request: { service: string } }, done: sendUnaryData<number>) =>
          answer(request.service, done),
      },
    );
  return new Promise((resolve, reject) =>
    own.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  );
}

const probe = (port: number, service?: string, timeoutMs = 5000) =>
  grpcProbe(
    { port, ...(service === undefined ? {} : { service }) },
    { podIp: '127.0.0.1', timeoutMs },
  );

describe('grpcProbe()', () => {
  test('a server that serves is healthy; it is asked for the named service', async () => {
    const asked: string[] = [];
    const port = await serve((service, done) => {
      asked.push(service);
      done(null, 1);
    });
    expect((await probe(port)).outcome).toBe('success');
    expect((await probe(port, 'db')).outcome).toBe('success');
    expect(asked).toEqual(['', 'db']);
  });

  test.each([0, 2, 3])('one that answers %i is not', async code => {
    const port = await serve((_service, done) => done(null, code));
    expect(await probe(port)).toMatchObject({
      outcome: 'failure',
      output: `service unhealthy (responded with "${serving[code]}")`,
    });
  });

  test('a server without the health service', async () => {
    const { outcome, output } = await probe(await serve());
    expect(outcome).toBe('failure');
    expect(output).toMatch(
      /^error: this server does not implement the grpc health protocol \(grpc\.health\.v1\.Health\): ./,
    );
  });

  test('an error of the server', async () => {
    const port = await serve((_service, done) =>
      done({ code: status.NOT_FOUND, details: 'unknown service' }),
    );
    expect((await probe(port, 'db')).output).toBe(
      'error: health rpc probe failed: rpc error: code = NotFound desc = unknown service',
    );
  });

  test('a server that does not answer in time', async () => {
    const port = await serve(() => undefined);
    expect((await probe(port, '', 200)).output).toBe(
      'timeout: health rpc did not complete within 200ms',
    );
  });

  test('a port that nobody listens on', async () => {
    const other = createServer();
    const port = await new Promise<number>(resolve =>
      other.listen(0, '127.0.0.1', () => {
        const address = other.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      }),
    );
    await new Promise(resolve => other.close(resolve));
    expect((await probe(port, '', 200)).output).toBe(
      `timeout: failed to connect service "127.0.0.1:${port}" within 200ms: context deadline exceeded`,
    );
  });
});

import { createServer } from 'node:https';
import { maxRequestHeadBytes } from '../../machinery/request-head.ts';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Pod } from '../../api/core/v1/pod.ts';
import { guard, reportUnexpected } from '../../machinery/unexpected.ts';
import { guardListener } from '../../machinery/guard-listener.ts';
import type { Logger } from '../../machinery/log.ts';
import { RuntimeError, type Runtime } from '../runtime/runtime.ts';
import type { OperationAuthorizer } from './authorize-request.ts';
import { findLogged, findNewest, findSandbox } from './find-container.ts';
import { NodeServerError } from './node-server-error.ts';
import { passThrough } from './pass-through.ts';
import { resolveNodeOperation, type NodeOperation } from './resolve-node-operation.ts';
import { sendLogs } from './send-logs.ts';

export interface ServingCertificates {
  readonly cert: string;
  readonly key: string;
  /** Only clients that this signed are served. */
  readonly clientCa: string;
}

export interface NodeServerOptions {
  readonly runtime: Runtime;
  readonly serving: ServingCertificates;
  readonly authorize: OperationAuthorizer;
  /** A pod of this node, as the API knows it. */
  readonly podOf: (namespace: string, name: string) => Pod | undefined;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Open at a time. */
  readonly maxConnections?: number | undefined;
  readonly log: Logger;
}

export interface NodeServer {
  readonly port: number;
  /** For connections from now on; those that are open go on. */
  setCertificates(certificates: ServingCertificates): void;
  close(): Promise<void>;
}

const secureContext = ({ cert, key, clientCa }: ServingCertificates) => ({
  cert,
  key,
  ca: clientCa,
});

/** The node's own server, by the kubelet's paths: logs, exec, attach, port-forward. */
export async function startNodeServer(options: NodeServerOptions): Promise<NodeServer> {
  const { runtime, serving, authorize, podOf, host, port, log } = options;
  const server = createServer({
    maxHeaderSize: maxRequestHeadBytes,
    ...secureContext(serving),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const sockets = new Set<Duplex>();
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const answer = async (): Promise<void> => {
      const operation = resolveNodeOperation(request.method ?? '', request.url ?? '/');
      await authorize(operation, request.socket as TLSSocket);
      await serve(operation, response, { runtime, podOf });
    };
    const refuse = (error: unknown): void => {
      const { code, message } = asServerError(error, 'request', log);
      if (response.headersSent) response.destroy();
      else response.writeHead(code, { 'content-type': 'text/plain' }).end(`${message}\n`);
    };
    const end = (): void => void response.destroy();
    guard({ log, operation: 'node server', onError: end }, () => answer().catch(refuse))();
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const answer = async (): Promise<void> => {
      const operation = resolveNodeOperation(request.method ?? '', request.url ?? '/');
      await authorize(operation, request.socket as TLSSocket);
      const url = await streamingUrl(operation, { runtime, podOf });
      await passThrough(request, socket, head, new URL(url));
    };
    const refuse = (error: unknown): void => {
      const { code, message } = asServerError(error, 'upgrade', log);
      socket.end(
        `HTTP/1.1 ${code} Error\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(message)}\r\nconnection: close\r\n\r\n${message}`,
      );
    };
    const end = (): void => void socket.destroy();
    guard({ log, operation: 'node server', onError: end }, () => answer().catch(refuse))();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  guardListener(server, { name: 'node', maxConnections: options.maxConnections, log });
  return {
    port: (server.address() as AddressInfo).port,
    setCertificates: certificates => server.setSecureContext(secureContext(certificates)),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Whatever was thrown, as the client is told of it: what the runtime says is for the caller. */
function asServerError(error: unknown, operation: string, log: Logger): NodeServerError {
  if (error instanceof NodeServerError) return error;
  if (error instanceof RuntimeError) return new NodeServerError(500, error.message);
  reportUnexpected(log, `node server ${operation}`, error);
  return new NodeServerError(500, 'Internal server error');
}

type Existing = Pick<NodeServerOptions, 'runtime' | 'podOf'>;

async function serve(
  operation: NodeOperation,
  response: ServerResponse,
  { runtime, podOf }: Existing,
): Promise<void> {
  switch (operation.type) {
    case 'undeclared':
      throw operation.refusal;
    case 'health':
      response.end('ok');
      return;
    case 'stream':
      existingPod(operation, podOf);
      throw new NodeServerError(400, 'Upgrade request required');
    case 'logs': {
      const { target, query } = operation;
      const pod = podOf(target.namespace, target.pod);
      if (pod === undefined) {
        throw new NodeServerError(404, `pod ${JSON.stringify(target.pod)} does not exist`);
      }
      const previous = isSet(query, 'previous');
      await sendLogs(
        await findLogged(runtime, { ...target, previous }, pod),
        query,
        response,
        runtime,
      );
    }
  }
}

/** @throws NodeServerError 404 where the pod is not, or is another of the same name */
function existingPod(
  { target }: Extract<NodeOperation, { type: 'stream' }>,
  podOf: NodeServerOptions['podOf'],
): void {
  const pod = podOf(target.namespace, target.pod);
  if (pod === undefined) throw new NodeServerError(404, 'pod does not exist');
  if (target.uid !== '' && target.uid !== pod.metadata.uid) {
    throw new NodeServerError(404, 'pod not found');
  }
}

const isSet = (query: URLSearchParams, name: string): boolean =>
  ['true', '1'].includes(query.get(name) ?? '');

/** Where the runtime serves the streams that the operation asks for. */
async function streamingUrl(
  operation: NodeOperation,
  { runtime, podOf }: Existing,
): Promise<string> {
  if (operation.type === 'undeclared') throw operation.refusal;
  if (operation.type !== 'stream') {
    throw new NodeServerError(400, 'unable to upgrade: this path has no streams');
  }
  const { action, target, query } = operation;
  existingPod(operation, podOf);
  if (action === 'portForward') {
    const ports = query
      .getAll('ports')
      .flatMap(each => each.split(','))
      .map(Number)
      .filter(each => each > 0);
    return runtime.portForward(await findSandbox(runtime, target), ports);
  }
  const containerId = await findNewest(runtime, target);
  const streams = {
    tty: isSet(query, 'tty'),
    stdin: isSet(query, 'stdin'),
    stdout: isSet(query, 'stdout'),
    // A terminal has one output.
    stderr: isSet(query, 'stderr') && !isSet(query, 'tty'),
  };
  return action === 'attach'
    ? runtime.attach({ containerId, ...streams })
    : runtime.exec({ containerId, command: query.getAll('command'), ...streams });
}

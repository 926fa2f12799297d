import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Node } from '../../api/core/v1/node.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import {
  badRequest,
  failure,
  serviceUnavailable,
  type StatusError,
} from '../../machinery/status.ts';
import type { ResourceOperation, VerbHandler } from '../operation/operation.ts';
import type { Pki } from '../pki/pki.ts';
import type { ObjectStore } from '../registry/object-store.ts';

/** log, exec, attach and port-forward: the node's own server does them, this one leads there. */
export interface NodeProxy {
  readonly log: VerbHandler;
  stream(upgrade: StreamUpgrade): Promise<void>;
  close(): void;
}

export interface StreamUpgrade {
  readonly operation: ResourceOperation;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export interface NodeProxyOptions {
  readonly pods: ObjectStore<Pod>;
  readonly nodes: ObjectStore<Node>;
  readonly pki: Pki;
}

export function createNodeProxy({ pods, nodes, pki }: NodeProxyOptions): NodeProxy {
  const agent = new Agent({ keepAlive: true });
  // Read for each request: the agent keeps connections apart by their certificates.
  const tls = () => ({ ca: pki.ca, ...pki.kubeletClient });
  const find = async ({
    namespace,
    name,
  }: ResourceOperation): Promise<{ pod: Pod; host: string; port: number }> => {
    const pod = (await pods.get(namespace, name)).object();
    if (!pod.spec.nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
    const { status } = (await nodes.get('', pod.spec.nodeName)).object();
    const host = status?.addresses?.find(each => each.type === 'InternalIP')?.address;
    const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
    if (host === undefined || port === undefined || port < 1 || port > 65_535)
      throw serviceUnavailable(`node ${pod.spec.nodeName} has no address yet`);
    return { pod, host, port };
  };
  const unreachable = (error: Error): StatusError =>
    failure(500, 'InternalError', `error dialing backend: ${error.message}`, {}, { cause: error });

  return {
    async log({ operation, query, signal }) {
      const { pod, host, port } = await find(operation);
      const container = containerOf(pod, query.get('container') ?? '');
      const path = `/containerLogs/${operation.namespace}/${operation.name}/${container}?${query.toString()}`;
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        httpsRequest({ host, port, path, agent, signal, ...tls() }, resolve)
          .on('error', error => reject(unreachable(error)))
          // Also of what comes to neither an answer nor an error, such as a 101 that nobody asked for.
          .on('close', () => reject(unreachable(new Error('the node did not answer'))))
          .end();
      });
      const code = answer.statusCode ?? 500;
      if (code !== 200) {
        const text = (await beginningOf(answer)).trim();
        throw code === 404
          ? failure(404, 'NotFound', text, {})
          : code === 400
            ? badRequest(text)
            : failure(code, 'InternalError', text, {});
      }
      return { type: 'bytes', contentType: 'text/plain', content: answer };
    },
    async stream({ operation, request, socket, head }) {
      const { namespace, name, subresource, query } = operation;
      const { pod, host, port } = await find(operation);
      const at = `${namespace}/${name}`;
      const path =
        subresource === 'portforward'
          ? `/portForward/${at}`
          : `/${subresource}/${at}/${containerOf(pod, query.get('container') ?? '')}`;
      await new Promise<void>((resolve, reject) => {
        const inner = httpsRequest({
          host,
          port,
          path: `${path}?${query.toString()}`,
          // A kubelet takes both; GET is what a WebSocket needs.
          method: 'GET',
          headers: forwarded(request),
          agent: false,
          ...tls(),
        });
        inner.on('upgrade', (answer, innerSocket, innerHead) => {
          socket.write(headText(answer));
          if (innerHead.length > 0) socket.write(innerHead);
          if (head.length > 0) innerSocket.write(head);
          join(socket, innerSocket);
          resolve();
        });
        // A refusal is the node's own, word for word: clients put their own words before it.
        inner.on('response', answer => {
          socket.write(headText(answer));
          answer.on('error', () => socket.destroy());
          answer.pipe(socket);
          resolve();
        });
        socket.once('close', () => inner.destroy());
        inner.on('error', error => reject(unreachable(error)));
        inner.end();
      });
    },
    close: () => agent.destroy(),
  };
}

const maxRefusalLength = 16 * 1024;

/** Why a node refuses: one that is not what it should be may send without end. */
async function beginningOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > maxRefusalLength) break;
  }
  return text.slice(0, maxRefusalLength);
}

/** Headers of the upgrade, without what belongs to this hop. */
function forwarded({ headers }: IncomingMessage): Record<string, string | string[]> {
  const { host: _host, authorization: _authorization, ...rest } = headers;
  return rest as Record<string, string | string[]>;
}

function headText(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 500} ${answer.statusMessage ?? ''}`];
  for (let i = 0; i < answer.rawHeaders.length; i += 2) {
    const name = answer.rawHeaders[i] ?? '';
    // What Node has read is not in chunks any more: its end is the connection's.
    if (name.toLowerCase() !== 'transfer-encoding')
      lines.push(`${name}: ${answer.rawHeaders[i + 1] ?? ''}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Two sockets as one; the end of either is the end of both. */
function join(a: Duplex, b: Duplex): void {
  a.pipe(b);
  b.pipe(a);
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.end());
  }
}

/** The container that is meant. @throws StatusError in the API server's words */
function containerOf(pod: Pod, asked: string): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const name = pod.metadata.name ?? '';
  if (asked === '') {
    const [only] = containers;
    if (containers.length === 1 && only !== undefined) return only.name;
    const init =
      initContainers.length === 0
        ? ''
        : ` or one of the init containers: [${initContainers.map(each => each.name).join(' ')}]`;
    throw badRequest(
      `a container name must be specified for pod ${name}, choose one of: [${containers.map(each => each.name).join(' ')}]${init}`,
    );
  }
  const all = [...containers, ...initContainers, ...ephemeralContainers].map(each => each.name);
  if (!all.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`);
  return asked;
}

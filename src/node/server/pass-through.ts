import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { NodeServerError } from './node-server-error.ts';

/** Leads an upgrade to the runtime's streaming server and joins the two connections, byte for byte. */
export function passThrough(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  url: URL,
): Promise<void> {
  const { host: _host, ...headers } = request.headers;
  return new Promise((resolve, reject) => {
    const inner = httpRequest(url, { method: request.method ?? 'POST', headers, agent: false });
    const leave = (): void => void inner.destroy();
    socket.once('close', leave);
    inner.once('upgrade', (answer, innerSocket, innerHead) => {
      socket.off('close', leave);
      socket.write(headOf(answer));
      if (innerHead.length > 0) socket.write(innerHead);
      if (head.length > 0) innerSocket.write(head);
      join(socket, innerSocket);
      resolve();
    });
    // A version of the protocol that the runtime does not speak: the client tries another.
    inner.once('response', answer => {
      answer.resume();
      socket.off('close', leave);
      reject(
        new NodeServerError(
          answer.statusCode === 101 ? 400 : (answer.statusCode ?? 400),
          `the runtime refused to upgrade the connection: ${answer.statusMessage ?? ''}`,
        ),
      );
    });
    inner.once('error', reject);
    inner.end();
  });
}

function headOf(answer: IncomingMessage): string {
  const lines = [
    `HTTP/1.1 ${answer.statusCode ?? 101} ${answer.statusMessage ?? 'Switching Protocols'}`,
  ];
  for (let i = 0; i < answer.rawHeaders.length; i += 2) {
    lines.push(`${answer.rawHeaders[i] ?? ''}: ${answer.rawHeaders[i + 1] ?? ''}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Ends flow on behind the last byte; a break of one side breaks the other. */
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

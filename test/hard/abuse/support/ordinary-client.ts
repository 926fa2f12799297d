// A process that does a client's ordinary work, 50 requests a second over one HTTP/2 connection, until it is disconnected.
import { connect, type ClientHttp2Session } from 'node:http2';
import type { OrdinaryReport, OrdinaryStart } from './ordinary-messages.ts';

const everyMs = 20;
/** What is not answered by then counts as it is. */
const reportWithinMs = 5_000;

let latencies: Record<string, number[]> = {};
let failures: Record<string, number> = {};
const open = new Map<symbol, number>();

const took = (kind: string, due: number): void => {
  (latencies[kind] ??= []).push(performance.now() - due);
};

const failed = (what: string): void => {
  failures[what] = (failures[what] ?? 0) + 1;
};

process.once('message', (start: OrdinaryStart) => work(start));
process.once('disconnect', () => process.exit());

function work({ url, ca, cert, key, namespace }: OrdinaryStart): void {
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  let session: ClientHttp2Session | undefined;
  const live = (): ClientHttp2Session => {
    if (session === undefined || session.closed || session.destroyed) {
      session = connect(url, { ca, cert, key });
      session.on('error', () => undefined);
    }
    return session;
  };

  const request = (
    name: string,
    { method = 'GET', path, body }: { method?: string; path: string; body?: object },
    due: number,
    settled?: () => void,
  ): void => {
    const id = Symbol(name);
    open.set(id, due);
    const stream = live().request(
      { ':method': method, ':path': path, 'content-type': 'application/json' },
      { endStream: body === undefined },
    );
    let status = 0;
    stream.once('response', headers => (status = Number(headers[':status'])));
    stream.on('error', () => undefined);
    stream.once('close', () => {
      if (!open.delete(id)) return;
      took(name, due);
      if (status < 200 || status > 299) failed(`${name}: ${status || 'connection lost'}`);
      settled?.();
    });
    stream.resume();
    if (body !== undefined) stream.end(JSON.stringify(body));
  };

  /** When each write of the watched secret was due, by the number it wrote. */
  const written = new Map<number, number>();
  const watch = (): void => {
    const stream = live().request({
      ':path': `${secrets}?watch=true&fieldSelector=metadata.name%3Dwatched`,
    });
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const number = Number(/"number":"(\d+)"/.exec(line)?.[1]);
        const due = written.get(number);
        if (due === undefined) continue;
        took('watch', due);
        written.delete(number);
      }
    });
    stream.on('error', () => undefined);
    stream.once('close', () => {
      failed('watch: connection lost');
      setTimeout(watch, 100);
    });
  };
  watch();

  let number = 0;
  const put = (due: number): void => {
    number += 1;
    const of = number;
    written.set(of, due);
    const body = {
      metadata: { name: 'watched', annotations: { number: String(of) } },
      data: { value: 'b3JkaW5hcnk=' },
    };
    request('PUT', { method: 'PUT', path: `${secrets}/watched`, body }, due);
  };
  const createAndDelete = (due: number): void => {
    number += 1;
    const name = `brief-${number}`;
    const body = { metadata: { name }, data: { value: 'b3JkaW5hcnk=' } };
    request('POST', { method: 'POST', path: secrets, body }, due, () =>
      request('DELETE', { method: 'DELETE', path: `${secrets}/${name}` }, performance.now()),
    );
  };
  const get = (due: number): void => request('GET', { path: `${secrets}/some-1` }, due);
  const list = (due: number): void =>
    request('LIST', { path: `${secrets}?labelSelector=some%3Dtrue` }, due);
  // The delete that follows each create makes these nine ten requests.
  const turns = [get, put, list, get, createAndDelete, get, put, list, get];

  let due = performance.now();
  let turn = 0;
  setInterval(() => {
    // What was due while this process did not run is sent late, and counts as late.
    for (; due <= performance.now(); due += (everyMs * 10) / 9) {
      turns[turn % turns.length]?.(due);
      turn += 1;
    }
  }, everyMs / 2);

  process.on('message', () => void report(written));
}

async function report(written: ReadonlyMap<number, number>): Promise<void> {
  const asked = performance.now();
  const pending = (): boolean =>
    [...open.values(), ...written.values()].some(due => due < asked - 1);
  while (pending() && performance.now() < asked + reportWithinMs) {
    await new Promise(resolve => setTimeout(resolve, everyMs));
  }
  for (const [id, due] of open) if (due < asked) took(id.description ?? '', due);
  process.send?.({ latencies, failures } satisfies OrdinaryReport);
  latencies = {};
  failures = {};
}

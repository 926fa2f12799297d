import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { beforeEach, expect, test } from 'vitest';
import { tooManyRequests } from '../../../machinery/status.ts';
import { createBodyReceiver, type BodyReceiver } from './receive-body.ts';

let now: number;
let room: number;
let receiver: BodyReceiver;
beforeEach(() => {
  now = 0;
  room = Infinity;
  receiver = createBodyReceiver({ maxBytes: 20, everyMs: 10, minBytes: 5 }, () => now);
});

/** @returns the sender's end, and what is received of it */
function send() {
  const sender = new PassThrough();
  const grow = (bytes: number): void => {
    if (bytes > room) throw tooManyRequests('full', 1);
  };
  const received = receiver.receive(sender as unknown as IncomingMessage, grow).then(
    body => body.toString(),
    (error: { status: { code: number } }) => error.status.code,
  );
  /** Resolves once the receiver has seen it. */
  const write = (text: string): Promise<void> =>
    new Promise(resolve => {
      sender.once('data', () => resolve());
      sender.write(text);
    });
  return { sender, received, write };
}

test('a body that is sent fast enough is received whole, however long it takes', async () => {
  const { sender, received, write } = send();
  for (let i = 0; i < 4; i += 1) {
    await write('12345');
    now += 10;
    receiver.sweep();
  }
  sender.end();
  expect(await received).toBe('12345'.repeat(4));
});

test('one that is not is given up', async () => {
  const { received, write } = send();
  await write('12345');
  now = 10;
  receiver.sweep();
  await write('1234');
  now = 19;
  receiver.sweep();
  now = 20;
  receiver.sweep();
  expect(await received).toBe(408);
});

test('one that is too large is refused, and the rest of it discarded', async () => {
  const { received, write } = send();
  await write('1'.repeat(21));
  expect(await received).toBe(413);
  await write('1'.repeat(100));
});

test('one for which there is no room any more is put off', async () => {
  room = 10;
  const { received, write } = send();
  await write('1'.repeat(10));
  await write('1');
  expect(await received).toBe(429);
});

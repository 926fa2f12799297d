import { beforeEach, describe, expect, test } from 'vitest';
import { createConnections, type Connection, type Connections } from './connections.ts';

let now: number;
let closed: string[];
let told: number[];
let connections: Connections;
const create = (max: number, reservedPart: number): void => {
  const limits = { max, reservedPart, firstRequestMs: 32, idleMs: 90, arrivalMs: 60 };
  connections = createConnections({
    limits,
    now: () => now,
    onLimited: open => told.push(open),
  });
};
beforeEach(() => {
  now = 0;
  closed = [];
  told = [];
  create(8, 0);
});

interface OpenOptions {
  readonly isBusy?: boolean;
  readonly certificate?: string;
}
/** A connection whose handshake is done. @returns undefined where it was refused */
function open(
  address: string,
  name: string,
  { isBusy = false, certificate }: OpenOptions = {},
): Connection | undefined {
  const connection = connections.open(address, () => closed.push(name));
  connection?.secured(certificate);
  if (connection === undefined || closed.includes(name)) return undefined;
  if (isBusy) connection.begin(request());
  now += 1;
  return connection;
}
const request = (complete = true) => ({ complete, destroy: () => closed.push('request') });
const busy = { isBusy: true };

test('a network with too many connections loses the one that is idle for longest', () => {
  for (let i = 0; i < 4; i += 1) open('a', `a${i}`, busy);
  expect(open('a', 'a4')).toBeUndefined();
  expect(open('b', 'b0')).toBeDefined();
  const [r, more] = [request(), open('b', 'b1')];
  more?.begin(r);
  more?.end(r);
  closed = [];
  expect(open('b', 'b2')).toBeDefined();
  expect(closed).toEqual(['b0']);
});

test('when there is no room, the network that holds most loses its longest idle connection', () => {
  for (const name of ['a0', 'b0', 'b1', 'b2', 'c0', 'c1', 'd0']) open(name[0] ?? '', name);
  open('d', 'd1', busy);
  expect(open('e', 'e0')).toBeDefined();
  expect(open('e', 'e1')).toBeDefined();
  expect(closed).toEqual(['b0', 'b1']);
});

test('a /64 of IPv6 is one network', () => {
  for (let i = 0; i < 4; i += 1) open(`2001:db8::${i}`, `a${i}`);
  for (const name of ['b0', 'c0', 'd0', 'e0']) open(name, name);
  expect(open('f', 'f0')).toBeDefined();
  expect(closed).toEqual(['a0']);
});

test('a busy connection is never closed for a new one', () => {
  for (const name of ['a0', 'b0', 'c0', 'd0', 'e0', 'f0', 'g0', 'h0']) open(name, name, busy);
  expect(open('i', 'i0')).toBeUndefined();
  expect(closed.filter(name => name !== 'i0')).toEqual([]);
});

test('hundreds of idle connections of many addresses lock nobody out', () => {
  create(200, 0.1);
  for (let i = 0; i < 2000; i += 1) open(`10.0.0.${i % 40}`, `attacker ${i}`);
  expect(open('10.0.1.1', 'client')).toBeDefined();
  for (let i = 0; i < 2000; i += 1) open(`10.0.0.${i % 40}`, `attacker again ${i}`);
  expect(closed).not.toContain('client');
});

describe('places are kept', () => {
  beforeEach(() => {
    create(20, 0.1);
    for (let i = 0; i < 40; i += 1) open(`10.0.0.${i}`, `attacker ${i}`, busy);
  });

  test('for loopback', () => {
    expect(open('127.0.0.1', 'local 0', busy)).toBeDefined();
    expect(open('127.0.0.1', 'local 1', busy)).toBeDefined();
    expect(open('127.0.0.1', 'local 2', busy)).toBeUndefined();
  });

  test('for clients with a verified certificate, even if loopback takes all it can get', () => {
    for (let i = 0; i < 10; i += 1) open('127.0.0.1', `local ${i}`, busy);
    expect(open('10.0.0.1', 'jane 0', { isBusy: true, certificate: 'jane' })).toBeDefined();
    expect(open('127.0.0.1', 'jane 1', { isBusy: true, certificate: 'jane' })).toBeDefined();
    expect(open('10.0.0.1', 'jane 2', { isBusy: true, certificate: 'jane' })).toBeUndefined();
  });

  test('and what is idle in them is not closed for others', () => {
    open('127.0.0.1', 'local');
    open('10.0.0.1', 'jane', { certificate: 'jane' });
    for (let i = 0; i < 40; i += 1) open(`10.0.1.${i}`, `more ${i}`);
    expect(closed.filter(name => !name.startsWith('more'))).not.toContain('local');
    expect(closed).not.toContain('jane');
  });
});

test('a connection in its handshake makes room before others do, and gets no place of its own', () => {
  for (let i = 0; i < 7; i += 1) open(`10.0.0.${i}`, `client ${i}`);
  for (let i = 0; i < 20; i += 1, now += 1)
    connections.open('10.0.1.1', () => closed.push(`silent ${i}`));
  expect(closed.filter(name => name.startsWith('silent')).length).toBeGreaterThan(12);
});

test('a connection that closed makes room', () => {
  const first = open('a', 'a0', busy);
  for (let i = 1; i < 4; i += 1) open('a', `a${i}`, busy);
  expect(open('a', 'a4')).toBeUndefined();
  first?.closed();
  first?.closed();
  expect(open('a', 'a5')).toBeDefined();
  expect(closed).toEqual(['a4']);
});

test('says once an episode that connections are at their limit', () => {
  for (let i = 0; i < 50; i += 1) open(`10.0.0.${i}`, `client ${i}`);
  expect(told).toEqual([8]);
  connections.sweep();
  open('10.0.1.1', 'more');
  expect(told).toHaveLength(1);
  connections.sweep();
  connections.sweep();
  open('10.0.1.2', 'later');
  expect(told).toHaveLength(2);
});

test('closes what sends no request, what is idle, and what sends a request slowly', () => {
  const [silent, idle, slow, watch] = ['silent', 'idle', 'slow', 'watch'].map(name => {
    const connection = connections.open('a', () => closed.push(name));
    connection?.secured(undefined);
    return connection;
  });
  const done = request();
  idle?.begin(done);
  idle?.end(done);
  slow?.begin(request(false));
  watch?.begin(request());
  now = 40;
  connections.sweep();
  expect(closed).toEqual(['silent']);
  now = 70;
  connections.sweep();
  expect(closed).toEqual(['silent', 'request']);
  now = 100;
  connections.sweep();
  expect(closed).toContain('idle');
  expect(closed).not.toContain('watch');
  silent?.closed();
});

import { beforeEach, expect, test } from 'vitest';
import { createConnections, type Connections } from './connections.ts';

let now: number;
let closed: string[];
let connections: Connections;
beforeEach(() => {
  now = 0;
  closed = [];
  const limits = { max: 8, firstRequestMs: 32, idleMs: 90, arrivalMs: 60 };
  connections = createConnections(limits, () => now);
});
const open = (address: string, name: string) => connections.open(address, () => closed.push(name));
const request = (complete = true) => ({ complete, destroy: () => closed.push('request') });

test('an address with too many connections loses the one that is idle for longest', () => {
  for (let i = 0; i < 4; i += 1, now += 1) open('a', `a${i}`)?.begin(request());
  expect(open('a', 'a4')).toBeUndefined();
  expect(open('b', 'b0')).toBeDefined();
  const [r, more] = [request(), open('b', 'b1')];
  more?.begin(r);
  more?.end(r);
  expect(closed).toEqual([]);
  expect(open('b', 'b2')).toBeDefined();
  expect(closed).toEqual(['b0']);
});

test('a connection that closed makes room', () => {
  const first = open('a', 'a0');
  first?.begin(request());
  for (let i = 1; i < 4; i += 1) open('a', `a${i}`)?.begin(request());
  expect(open('a', 'a4')).toBeUndefined();
  first?.closed();
  first?.closed();
  expect(open('a', 'a5')).toBeDefined();
  expect(closed).toEqual([]);
});

test('closes what sends no request, what is idle, and what sends a request slowly', () => {
  const [silent, idle, slow, watch] = ['silent', 'idle', 'slow', 'watch'].map(name =>
    open('a', name),
  );
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

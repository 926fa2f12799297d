/**
 * Every method, on every shape of a path, by every role, over HTTP/2, HTTP/1.1 and as an upgrade: nothing is
 * served and nothing happens without the right to it, as Kubernetes' rules give it (reading.ts, rights.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExplorer, type Explorer, type Way } from './explore.ts';
import { methodsOfHttp1, methodsOfHttp2, methodsOfUpgrades, unparsedMethods } from './methods.ts';
import { administrator, roles } from './roles.ts';
import { fewShapes, shapes, upgradeShapes } from './shapes.ts';
import { http1Transport, http2Transport, rawTransport, upgradeHeaders } from './transport.ts';

const ways: readonly Way[] = [
  {
    name: 'HTTP/2',
    upgrade: false,
    unparsed: false,
    methods: methodsOfHttp2,
    // Nothing else is a path there.
    shapes: shapes.filter(({ target }) => target.startsWith('/')),
    every: 1,
    width: 64,
    open: http2Transport,
  },
  {
    name: 'HTTP/2 without a path',
    upgrade: false,
    unparsed: false,
    methods: ['CONNECT'],
    shapes: [{ target: '*', body: 'secrets' }],
    every: 1,
    width: 1,
    open: http2Transport,
  },
  {
    name: 'HTTP/1.1',
    upgrade: false,
    unparsed: false,
    methods: methodsOfHttp1,
    shapes,
    every: 4,
    width: 16,
    open: http1Transport,
  },
  {
    name: 'HTTP/1.1 as bytes',
    upgrade: false,
    unparsed: true,
    methods: unparsedMethods,
    shapes: fewShapes,
    every: 1,
    width: 8,
    open: rawTransport,
  },
  {
    name: 'upgrade to WebSocket',
    upgrade: true,
    unparsed: false,
    methods: methodsOfWebSockets,
    shapes: upgradeShapes,
    every: 1,
    width: 8,
    open: connection => rawTransport(connection, upgradeHeaders.websocket),
  },
  {
    name: 'upgrade to SPDY',
    upgrade: true,
    unparsed: false,
    methods: methodsOfSpdy,
    shapes: upgradeShapes,
    every: 1,
    width: 8,
    open: connection => rawTransport(connection, upgradeHeaders.spdy),
  },
];

/** What the failures of one role show of themselves. */
const shownFindings = 40;

let explorer: Explorer;
let requests = 0;
const successes = new Map<string, number>();

beforeAll(async () => {
  explorer = await createExplorer();
});
afterAll(() => explorer.close());

describe.each(ways)('$name', way => {
  test.each(roles)(
    '$name gets what it may, and nothing else',
    async role => {
      const found = await explorer.explore(role, way);
      requests += found.requests;
      successes.set(role.name, (successes.get(role.name) ?? 0) + found.successes);
      const { findings } = found;
      expect(findings.slice(0, shownFindings), `${findings.length} findings`).toEqual([]);
    },
    300_000,
  );
});

test('it was much that was tried, and each role got something', () => {
  expect(requests).toBeGreaterThan(20_000);
  for (const role of roles) {
    const expected = role.refused === true ? 0 : 1;
    expect(Math.min(successes.get(role.name) ?? 0, 1), role.name).toBe(expected);
  }
  expect(successes.get(administrator.name)).toBeGreaterThan(1000);
});

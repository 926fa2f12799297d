/** The ways in: which methods go to which paths, and how they are carried. */
import type { Way } from './explore.ts';
import { knownMethods, madeUpMethods } from './methods.ts';
import { fewShapes, shapes, upgradeShapes, wellSpeltShapes } from './shapes.ts';
import { http1Transport, http2Transport, rawTransport, upgradeHeaders } from './transport.ts';

const http2 = {
  upgrade: false,
  unparsed: false,
  succeeds: true,
  every: 1,
  // One client may have 50 writes under way, and those that were answered count until their streams are closed.
  width: 16,
  open: http2Transport,
};

/** Each costs a connection. */
const oneByOne = { unparsed: false, every: 1, width: 8, open: rawTransport };

export const ways: readonly Way[] = [
  {
    ...http2,
    name: 'HTTP/2',
    methods: knownMethods,
    // Nothing else is a path there.
    shapes: shapes.filter(({ target }) => target.startsWith('/')),
  },
  {
    ...http2,
    name: 'HTTP/2 by made-up methods',
    methods: madeUpMethods,
    shapes: wellSpeltShapes,
    succeeds: false,
  },
  {
    ...http2,
    name: 'HTTP/2 without a path',
    methods: ['CONNECT'],
    shapes: [{ target: '*', body: 'secrets' }],
    succeeds: false,
  },
  {
    name: 'HTTP/1.1',
    upgrade: false,
    unparsed: false,
    methods: knownMethods,
    shapes,
    succeeds: true,
    every: 4,
    width: 4,
    open: http1Transport,
  },
  {
    ...oneByOne,
    name: 'HTTP/1.1 by made-up methods',
    upgrade: false,
    unparsed: true,
    methods: [...madeUpMethods, 'CONNECT'],
    shapes: fewShapes,
    succeeds: false,
  },
  {
    ...oneByOne,
    name: 'upgrade to WebSocket',
    upgrade: true,
    methods: ['GET', 'POST'],
    shapes: upgradeShapes,
    succeeds: true,
    open: connection => rawTransport(connection, upgradeHeaders.websocket),
  },
  {
    ...oneByOne,
    name: 'upgrade to SPDY',
    upgrade: true,
    methods: ['POST', 'PUT'],
    shapes: upgradeShapes,
    succeeds: true,
    every: 2,
    open: connection => rawTransport(connection, upgradeHeaders.spdy),
  },
];

/** The ways in: which methods go to which paths, and how they are carried. */
import type { Way } from './explore.ts';
import {
  methodsOfHttp1,
  methodsOfHttp2,
  methodsOfSpdy,
  methodsOfWebSockets,
  unparsedMethods,
} from './methods.ts';
import { fewShapes, shapes, upgradeShapes } from './shapes.ts';
import { http1Transport, http2Transport, rawTransport, upgradeHeaders } from './transport.ts';

export const ways: readonly Way[] = [
  {
    name: 'HTTP/2',
    upgrade: false,
    unparsed: false,
    methods: methodsOfHttp2,
    // Nothing else is a path there.
    shapes: shapes.filter(({ target }) => target.startsWith('/')),
    succeeds: true,
    every: 1,
    // One client may have 50 writes under way, and those that were answered count until their streams are closed.
    width: 16,
    open: http2Transport,
  },
  {
    name: 'HTTP/2 without a path',
    upgrade: false,
    unparsed: false,
    methods: ['CONNECT'],
    shapes: [{ target: '*', body: 'secrets' }],
    succeeds: false,
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
    succeeds: true,
    every: 6,
    width: 16,
    open: http1Transport,
  },
  {
    name: 'HTTP/1.1 as bytes',
    upgrade: false,
    unparsed: true,
    methods: unparsedMethods,
    shapes: fewShapes,
    succeeds: false,
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
    succeeds: true,
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
    succeeds: true,
    every: 1,
    width: 8,
    open: connection => rawTransport(connection, upgradeHeaders.spdy),
  },
];

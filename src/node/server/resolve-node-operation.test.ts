import { describe, expect, test } from 'vitest';
import { resolveNodeOperation } from './resolve-node-operation.ts';

const resolve = (line: string) => {
  const at = line.indexOf(' ');
  return resolveNodeOperation(line.slice(0, at), line.slice(at + 1));
};
const web = { namespace: 'ns', pod: 'web', uid: '', container: 'c' };

describe('what is served', () => {
  test.each([
    ['GET /healthz', { type: 'health', verb: 'get', subresources: ['healthz', 'proxy'] }],
    ['GET /healthz/', { type: 'health' }],
    ['GET /healthz/ping', { type: 'health' }],
    [
      'GET /containerLogs/ns/web/c?follow=true',
      { type: 'logs', target: web, verb: 'get', subresources: ['proxy'] },
    ],
    ['GET /%63ontainerLogs/ns/web/c', { type: 'logs', target: web }],
    ['POST /exec/ns/web/c', { type: 'stream', action: 'exec', target: web, verb: 'create' }],
    ['GET /exec/ns/web/u1/c', { type: 'stream', action: 'exec', target: { ...web, uid: 'u1' } }],
    ['GET /attach/ns/web/c', { type: 'stream', action: 'attach', target: web }],
    [
      'GET /portForward/ns/web/u1',
      { type: 'stream', action: 'portForward', target: { ...web, uid: 'u1', container: '' } },
    ],
  ])('%s', (line, operation) => {
    expect(resolve(line)).toMatchObject(operation);
  });
});

describe('what is not, as the kubelet refuses it', () => {
  test.each([
    ['POST /containerLogs/ns/web/c', 405],
    ['HEAD /containerLogs/ns/web/c', 405],
    ['PUT /exec/ns/web/c', 405],
    ['DELETE /portForward/ns/web', 405],
    ['get /containerLogs/ns/web/c', 405],
    ['GET /containerLogs/ns/web', 404],
    ['GET /containerLogs/ns/web/c/more', 404],
    ['GET /containerLogs/ns//c', 404],
    ['GET /containerLogs//ns/web/c', 404],
    ['GET //containerLogs/ns/web/c', 404],
    ['GET /containerLogs/ns/web%2Fc/d', 404],
    ['GET /exec/ns/web', 404],
    ['GET /portForward/ns', 404],
    ['GET /healthz/nothing', 404],
    ['GET /constructor/ns/web/c', 404],
    ['GET /__proto__', 404],
    ['GET /', 404],
    ['GET containerLogs/ns/web/c', 404],
    ['GET /containerLogs/ns/%zz/c', 400],
  ])('%s: %i', (line, code) => {
    expect(resolve(line)).toMatchObject({ type: 'undeclared', refusal: { code } });
  });
});

test.each([
  ['GET /metrics/cadvisor', 'get', ['metrics']],
  ['GET /%6detrics', 'get', ['metrics']],
  ['GET /stats/summary', 'get', ['stats']],
  ['GET /logs/', 'get', ['log']],
  ['POST /checkpoint/ns/web/c', 'create', ['checkpoint']],
  ['GET /pods', 'get', ['pods', 'proxy']],
  ['GET /configz', 'get', ['configz', 'proxy']],
  ['POST /run/ns/web/c', 'create', ['proxy']],
  ['HEAD /healthz', '', ['healthz', 'proxy']],
  ['CONSTRUCTOR /healthz', '', ['healthz', 'proxy']],
  ['GET /metricsx', 'get', ['proxy']],
])('%s needs the right to %j one of %j', (line, verb, subresources) => {
  expect(resolve(line)).toMatchObject({ verb, subresources });
});

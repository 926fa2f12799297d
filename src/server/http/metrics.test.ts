import { expect, test } from 'vitest';
import { createMetrics, type RequestObservation } from './metrics.ts';

const pods = {
  group: '',
  plural: 'pods',
  subresources: { log: { kind: 'Pod', verbs: ['get' as const] } },
};
const odd = { group: 'apps"x\\', plural: 'odd' };
const create = () => createMetrics({ store: { revision: async () => 7 } });
const request = (of: Partial<RequestObservation>): RequestObservation => ({
  verb: 'get',
  resource: pods,
  subresource: '',
  code: 200,
  seconds: 0.5,
  ...of,
});
const totals = (text: string): string[] =>
  text.split('\n').filter(line => line.startsWith('apiserver_request_total'));

test('counts requests by what is declared', async () => {
  const metrics = create();
  metrics.observe(request({}));
  metrics.observe(request({}));
  metrics.observe(request({ verb: 'get', subresource: 'log', code: 404 }));
  const text = await metrics.render();
  expect(totals(text)).toEqual([
    'apiserver_request_total{verb="GET",group="",resource="pods",subresource="",code="200"} 2',
    'apiserver_request_total{verb="GET",group="",resource="pods",subresource="log",code="404"} 1',
  ]);
  expect(text).toContain('resource="pods",subresource="",code="200"} 1.000000\n');
});

test('whatever a client makes up shares one series', async () => {
  const metrics = create();
  for (let i = 0; i < 20_000; i += 1) {
    const name = `${i}${'x'.repeat(100)}`;
    metrics.observe(request({ verb: name }));
    metrics.observe(request({ subresource: name }));
    metrics.observe(request({ code: 1000 + i }));
  }
  metrics.observe(request({ verb: 'constructor', subresource: '__proto__' }));
  const text = await metrics.render();
  expect(totals(text)).toHaveLength(4);
  expect(text).not.toMatch(/xxx|constructor|__proto__/);
});

test('no label value forges a line', async () => {
  const metrics = create();
  metrics.observe(request({ subresource: 'log"} 1\nforged{a="b' }));
  metrics.observe(request({ resource: odd }));
  expect(totals(await metrics.render())).toEqual([
    'apiserver_request_total{verb="GET",group="",resource="pods",subresource="other",code="200"} 1',
    'apiserver_request_total{verb="GET",group="apps\\"x\\\\",resource="odd",subresource="",code="200"} 1',
  ]);
});

test('counts refused requests by kind', async () => {
  const metrics = create();
  metrics.dropped('mutating');
  metrics.dropped('mutating');
  expect(await metrics.render()).toContain(
    'apiserver_dropped_requests_total{request_kind="mutating"} 2\n',
  );
});

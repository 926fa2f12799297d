import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApiOnly, type ApiOnly } from '../support/api-only.ts';
import { rawApi, type RawAnswer, type RawRequest } from '../support/raw-api.ts';
import { widgetResource } from '../support/widget.ts';

let api: ApiOnly;
let dataDir: string;
let ask: (request: RawRequest) => Promise<RawAnswer>;
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'keylet-resources-'));
  api = await startApiOnly(dataDir);
  ask = await rawApi(api.kubectl.kubeconfig);
});
afterAll(async () => {
  await api.close();
  await rm(dataDir, { recursive: true });
});

const widget = (name: string, size: number, more: object = {}): object => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'default', ...more },
  spec: { size },
});
const serve = (): void => api.resources.add({ descriptor: widgetResource });
const stopServing = (): void => api.resources.remove(widgetResource);

test('a resource that is added is served as the built-in ones are', async () => {
  expect((await api.kubectl.try('get widgets')).stderr).toContain(
    `the server doesn't have a resource type "widgets"`,
  );
  serve();
  expect(await api.kubectl('api-resources --api-group=example.com --no-headers')).toMatch(
    /^widgets +wd +example\.com\/v1 +true +Widget$/,
  );
  await api.kubectl.apply(widget('one', 10));
  expect(await api.kubectl('get wd one --no-headers')).toMatch(/^one +10$/);
  expect(await api.kubectl('explain widget.spec.size')).toContain(
    'How large it is, in millimetres.',
  );
  expect(
    (await api.kubectl.try('apply -f -', [], { input: JSON.stringify(widget('none', 0)) })).stderr,
  ).toContain('The Widget "none" is invalid: spec.size: Invalid value: 0: must be greater than 0');
  await api.kubectl('patch widget one --type=merge -p {"spec":{"size":11}}');
  expect(await api.kubectl('get widget one -o jsonpath={.metadata.generation}')).toBe('2');
});

test('each of its versions shows the same objects in its own form', async () => {
  const old = '/apis/example.com/v1beta1/namespaces/default/widgets';
  expect((await ask({ method: 'GET', path: `${old}/one` })).body).toMatchObject({
    apiVersion: 'example.com/v1beta1',
    length: '11mm',
  });
  const created = await ask({
    path: old,
    body: JSON.stringify({ metadata: { name: 'two' }, length: '7mm' }),
  });
  expect(created).toMatchObject({ code: 201, body: { length: '7mm' } });
  expect(await api.kubectl('get widget two -o jsonpath={.spec.size}')).toBe('7');
  const refused = await ask({
    path: old,
    body: JSON.stringify({ metadata: { name: 'bad' }, length: '-1mm' }),
  });
  expect(refused.code).toBe(422);
  const group = await ask({ method: 'GET', path: '/apis/example.com' });
  expect(group.body).toMatchObject({
    versions: [{ version: 'v1' }, { version: 'v1beta1' }],
    preferredVersion: { version: 'v1' },
  });
});

test('a resource is served by another definition, and its objects stay', async () => {
  api.resources.replace({ descriptor: { ...widgetResource, shortNames: ['wdg'] } });
  expect(await api.kubectl('api-resources --api-group=example.com --no-headers')).toMatch(
    /^widgets +wdg +example\.com\/v1 +true +Widget$/,
  );
  expect(await api.kubectl('get widget one -o jsonpath={.spec.size}')).toBe('11');
  api.resources.replace({ descriptor: widgetResource });
});

test('documents about other groups stay as they were', async () => {
  const etagOf = async (url: string): Promise<unknown> =>
    (await ask({ method: 'GET', path: url })).headers['etag'];
  const documents = ['/openapi/v3/api/v1', '/openapi/v3', '/openapi/v2', '/apis', '/api/v1'];
  const before = await Promise.all(documents.map(etagOf));
  stopServing();
  const without = await Promise.all(documents.map(etagOf));
  expect(documents.filter((_, i) => before[i] === without[i])).toEqual([
    '/openapi/v3/api/v1',
    '/api/v1',
  ]);
  serve();
  expect(await Promise.all(documents.map(etagOf))).toEqual(before);
});

test('a client that has a document already is told so', async () => {
  for (const url of ['/apis', '/apis/example.com/v1', '/openapi/v3/apis/example.com/v1']) {
    const { headers } = await ask({ method: 'GET', path: url });
    const again = await ask({
      method: 'GET',
      path: url,
      headers: { 'if-none-match': String(headers['etag']) },
    });
    expect([again.code, again.text]).toEqual([304, '']);
  }
});

test('what its owner leaves behind is collected, and a namespace takes it along', async () => {
  await api.kubectl('create configmap owner');
  const uid = await api.kubectl('get configmap owner -o jsonpath={.metadata.uid}');
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid };
  await api.kubectl('create namespace team');
  await api.kubectl.apply(
    widget('owned', 1, { ownerReferences: [owner] }),
    widget('within', 2, { namespace: 'team' }),
  );
  await api.kubectl('delete configmap owner');
  await api.kubectl('wait --for=delete widget/owned --timeout=20s');
  await api.kubectl('delete namespace team --timeout=20s');
  await api.kubectl('create namespace team');
  expect(await api.kubectl('get widgets -n team -o name')).toBe('');
});

test('watches of a resource that is removed end, and say what happened until then', async () => {
  const watch = ask({
    method: 'GET',
    path: '/apis/example.com/v1/widgets?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan',
  });
  await api.kubectl.apply(widget('three', 3));
  stopServing();
  const { code, text } = await watch;
  expect(code).toBe(200);
  expect(text).toContain('"name":"three"');
  serve();
});

test('what is removed is gone, and its objects are there when it comes back', async () => {
  stopServing();
  const url = '/apis/example.com/v1/namespaces/default/widgets/one';
  expect((await ask({ method: 'GET', path: url })).code).toBe(404);
  expect((await ask({ method: 'GET', path: '/apis/example.com' })).code).toBe(404);
  expect((await ask({ method: 'GET', path: '/openapi/v3/apis/example.com/v1' })).code).toBe(404);
  serve();
  expect((await ask({ method: 'GET', path: url })).body).toMatchObject({ spec: { size: 11 } });
});

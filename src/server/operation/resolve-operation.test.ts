import { describe, expect, test } from 'vitest';
import { findResource } from '../../../test/support/find-resource.ts';
import { forbiddenError } from '../authz/authorizer.ts';
import { attributesOf, type Operation } from './operation.ts';
import { createOperationResolver } from './resolve-operation.ts';

const resolve = createOperationResolver({ find: findResource });
const resolveLine = (line: string): Operation => {
  const [method = '', url = ''] = line.split(' ');
  return resolve(method, url);
};
const user = { name: 'u', groups: [] };
const attributes = (line: string) => attributesOf(resolveLine(line), user);

describe('what is declared', () => {
  test.each([
    ['GET /api/v1/namespaces/ns/secrets/x', 'get secrets ns x'],
    ['HEAD /api/v1/namespaces/ns/secrets/x', 'get secrets ns x'],
    ['GET /api/v1/namespaces/ns/secrets/x?watch=true', 'get secrets ns x'],
    ['GET /api/v1/namespaces/ns/secrets', 'list secrets ns '],
    ['GET /api/v1/namespaces/ns/secrets/', 'list secrets ns '],
    ['GET /api/v1/secrets', 'list secrets  '],
    ['GET /api/v1/secrets?watch=1', 'watch secrets  '],
    ['GET /api/v1/secrets?watch=false', 'list secrets  '],
    ['GET /api/v1/watch/secrets', 'watch secrets  '],
    ['GET /api/v1/watch/namespaces/ns/secrets', 'watch secrets ns '],
    ['GET /api/v1/watch/namespaces/ns/secrets/x', 'watch secrets ns '],
    ['GET /api/v1/watch/namespaces/ns/secrets/x?watch=false', 'watch secrets ns '],
    ['GET /api/v1/watch/namespaces', 'watch namespaces  '],
    ['GET /api/v1/watch/namespaces/ns', 'watch namespaces  '],
    ['GET /apis/coordination.k8s.io/v1/watch/leases', 'watch leases  '],
    ['POST /api/v1/namespaces/ns/secrets', 'create secrets ns '],
    ['PUT /api/v1/namespaces/ns/secrets/x', 'update secrets ns x'],
    ['PATCH /api/v1/namespaces/ns/secrets/x', 'patch secrets ns x'],
    ['DELETE /api/v1/namespaces/ns/secrets/x', 'delete secrets ns x'],
    ['DELETE /api/v1/namespaces/ns/secrets', 'deletecollection secrets ns '],
    ['GET /api/v1/namespaces/ns/secrets/%78', 'get secrets ns x'],
    ['GET /api/v1/namespaces', 'list namespaces  '],
    ['DELETE /api/v1/namespaces/ns', 'delete namespaces  ns'],
    ['PUT /api/v1/namespaces/ns/finalize', 'update namespaces/finalize  ns'],
    ['PATCH /api/v1/namespaces/ns/status', 'patch namespaces/status  ns'],
    ['GET /api/v1/namespaces/ns/pods/p/log', 'get pods/log ns p'],
    ['GET /api/v1/namespaces/ns/pods/p/exec', 'create pods/exec ns p'],
    ['POST /api/v1/namespaces/ns/pods/p/exec', 'create pods/exec ns p'],
    ['POST /api/v1/namespaces/ns/serviceaccounts/a/token', 'create serviceaccounts/token ns a'],
    [
      'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      'create selfsubjectaccessreviews  ',
    ],
  ])('%s is: %s', (line, expected) => {
    const operation = resolveLine(line);
    if (operation.type !== 'resource') throw new Error(`It is ${operation.type}`);
    const { verb, entry, subresource, namespace, name } = operation;
    const resource = [entry.descriptor.plural, subresource].filter(Boolean).join('/');
    expect(`${verb} ${resource} ${namespace} ${name}`).toBe(expected);
    expect(operation.right.verb).toBe(verb);
  });

  test.each([
    ['GET /', '/'],
    ['GET /version', '/version'],
    ['GET /version/', '/version'],
    ['GET /api/v1', '/api/v1'],
    ['GET /apis/rbac.authorization.k8s.io/v1/', '/apis/rbac.authorization.k8s.io/v1'],
    ['HEAD /healthz/etcd?verbose', '/healthz/etcd'],
  ])('%s is the path %s', (line, path) => {
    expect(resolveLine(line)).toMatchObject({ type: 'non-resource', path, right: { path } });
  });
});

describe('what is not declared', () => {
  test.each([
    // Methods
    ['LIST /api/v1/namespaces/ns/secrets/x', 405],
    ['list /api/v1/namespaces/ns/secrets', 405],
    ['get /api/v1/namespaces/ns/secrets/x', 405],
    ['constructor /api/v1/secrets', 405],
    ['__proto__ /api/v1/secrets', 405],
    ['OPTIONS /api/v1/secrets', 405],
    ['POST /version', 405],
    ['HEAD /api/v1/secrets?watch=true', 405],
    ['HEAD /api/v1/namespaces/ns/pods/p/log', 405],
    ['POST /api/v1/namespaces/ns/secrets/x', 405],
    ['PUT /api/v1/namespaces/ns/secrets', 405],
    ['POST /api/v1/secrets', 405],
    ['DELETE /api/v1/secrets', 405],
    ['GET /apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 405],
    // Subresources
    ['GET /api/v1/namespaces/ns/serviceaccounts/a/token', 405],
    ['GET /api/v1/namespaces/ns/pods/p/eviction', 405],
    ['GET /api/v1/namespaces/ns/pods/p/binding', 405],
    ['DELETE /api/v1/namespaces/ns/pods/p/exec', 405],
    ['GET /api/v1/namespaces/ns/pods/p/constructor', 404],
    ['GET /api/v1/namespaces/ns/pods/p/__proto__', 404],
    ['GET /api/v1/namespaces/ns/pods/p/log/more', 404],
    ['GET /api/v1/namespaces/ns/secrets/x/status', 404],
    // Groups, versions and scopes
    ['GET /apis/apps/v1/namespaces/ns/pods/p/exec', 404],
    ['GET /api/v2/namespaces/ns/secrets', 404],
    ['GET /api/v1/constructor', 404],
    ['GET /apis/__proto__/v1/secrets', 404],
    ['DELETE /api/v1/namespaces/team/namespaces/victim', 404],
    ['PATCH /api/v1/namespaces/team/nodes/n', 404],
    ['DELETE /apis/rbac.authorization.k8s.io/v1/namespaces/team/clusterrolebindings/b', 404],
    ['GET /api/v1/secrets/x', 404],
    ['POST /api/v1/watch/secrets', 405],
    ['HEAD /api/v1/watch/secrets', 405],
    ['GET /api/v1/watch/secrets/x', 404],
    ['GET /api/v1/watch/watch/secrets', 404],
    ['GET /api/v1/watch/namespaces/ns/pods/p/log', 404],
    ['GET /api/v1/watch/namespaces/ns/status', 404],
    ['GET /api/v1/pods/p/exec', 404],
    // Spellings of paths
    ['GET /api/v1//namespaces/ns/secrets', 404],
    ['GET //api/v1/secrets', 404],
    ['GET /api/v1/namespaces//secrets', 404],
    ['GET /api/v1/namespaces/ns/secrets//', 404],
    ['GET /api/v1/namespaces/ns%2Fsecrets/x', 404],
    ['GET /api/v1/namespaces/ns/secrets/a%2Fb', 404],
    ['GET /api/v1/namespaces/ns/secrets/%zz', 400],
    ['GET /api/v1/namespaces/ns/secrets/..', 400],
    ['GET /api/v1/namespaces/../secrets', 400],
    ['GET /api/v1/namespaces/ns/secrets/%2e%2e', 400],
    ['GET /api/v1/namespaces/ns/secrets/a%2525b', 400],
    ['GET api/v1/secrets', 404],
    ['OPTIONS *', 404],
  ])('%s is refused with %i', (line, code) => {
    expect(resolveLine(line)).toMatchObject({ type: 'undeclared', refusal: { code } });
  });

  test('a name that is no segment of a path is refused as kube-apiserver does', () => {
    const operation = resolveLine('GET /api/v1/namespaces/ns/secrets/..');
    expect(operation).toMatchObject({
      refusal: { message: `Name parameter invalid: "..": may not be '..'` },
    });
  });
});

describe('the right that is needed', () => {
  test.each([
    {
      line: 'GET /api/v1/namespaces/ns/secrets/x',
      text: 'secrets "x" is forbidden: User "u" cannot get resource "secrets" in API group "" in the namespace "ns"',
    },
    {
      line: 'GET /api/v1/namespaces/ns/secrets?fieldSelector=metadata.name%3Dx',
      text: 'secrets "x" is forbidden: User "u" cannot list resource "secrets" in API group "" in the namespace "ns"',
    },
    {
      line: 'GET /api/v1/secrets?watch=true&fieldSelector=metadata.name%3D..',
      text: 'secrets is forbidden: User "u" cannot watch resource "secrets" in API group "" at the cluster scope',
    },
    {
      line: 'GET /api/v1/namespaces/ns/secrets?fieldSelector=metadata.name%21%3Dx',
      text: 'secrets is forbidden: User "u" cannot list resource "secrets" in API group "" in the namespace "ns"',
    },
    {
      line: 'DELETE /api/v1/namespaces/ns/secrets?fieldSelector=metadata.name%3Dx',
      text: 'secrets is forbidden: User "u" cannot deletecollection resource "secrets" in API group "" in the namespace "ns"',
    },
    {
      line: 'GET /api/v1/namespaces/ns/secrets?fieldSelector=%2C%3D%3D%3D',
      text: 'secrets is forbidden: User "u" cannot list resource "secrets" in API group "" in the namespace "ns"',
    },
    {
      line: 'PATCH /api/v1/namespaces/ns/pods/p/status',
      text: 'pods "p" is forbidden: User "u" cannot patch resource "pods/status" in API group "" in the namespace "ns"',
    },
    {
      line: 'GET /api/v1/namespaces/ns/pods/p/exec',
      text: 'pods "p" is forbidden: User "u" cannot create resource "pods/exec" in API group "" in the namespace "ns"',
    },
    {
      line: 'GET /api/v1/namespaces/ns',
      text: 'namespaces "ns" is forbidden: User "u" cannot get resource "namespaces" in API group "" in the namespace "ns"',
    },
    {
      line: 'DELETE /api/v1/namespaces/team/namespaces/victim',
      text: 'namespaces "victim" is forbidden: User "u" cannot delete resource "namespaces" in API group "" in the namespace "team"',
    },
    {
      line: 'POST /apis/rbac.authorization.k8s.io/v1/clusterroles',
      text: 'clusterroles.rbac.authorization.k8s.io is forbidden: User "u" cannot create resource "clusterroles" in API group "rbac.authorization.k8s.io" at the cluster scope',
    },
    { line: 'GET /metrics', text: 'forbidden: User "u" cannot get path "/metrics"' },
    { line: 'LIST /metrics', text: 'forbidden: User "u" cannot list path "/metrics"' },
  ])('$line is refused with: $text', ({ line, text }) => {
    expect(forbiddenError(attributes(line)).message).toBe(text);
    expect(forbiddenError(attributes(line), 'No Object name found').message).toBe(
      `${text}: No Object name found`,
    );
  });

  test('a watch path of one object selects that object, and needs the right to watch it', () => {
    const operation = resolveLine(
      'GET /api/v1/watch/namespaces/ns/secrets/x?fieldSelector=metadata.name%21%3Dy',
    );
    expect(operation).toMatchObject({
      fieldSelector: [
        { field: 'metadata.name', equals: true, value: 'x' },
        { field: 'metadata.name', equals: false, value: 'y' },
      ],
      right: { verb: 'watch', namespace: 'ns', name: 'x' },
    });
  });

  test('an unknown method has no verb, so that only a rule for all verbs grants it', () => {
    expect(attributes('LIST /api/v1/namespaces/ns/secrets/x')).toMatchObject({
      verb: '',
      name: 'x',
    });
  });

  test('authorization sees the field selector of a list', () => {
    expect(attributes('GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn1').fieldSelector).toEqual([
      { field: 'spec.nodeName', equals: true, value: 'n1' },
    ]);
  });
});

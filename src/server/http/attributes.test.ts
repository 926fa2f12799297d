import { expect, test } from 'vitest';
import { forbiddenError } from '../authz/authorizer.ts';
import { attributesOf } from './attributes.ts';
import { requestInfo } from './request-info.ts';

const user = { name: 'u', groups: [] };
const attributes = (line: string) => {
  const [method = '', url = ''] = line.split(' ');
  const [path = '', search = ''] = url.split('?');
  const query = new URLSearchParams(search);
  return attributesOf(requestInfo(method, path, query), user, query);
};

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
    line: 'GET /api/v1/namespaces/ns',
    text: 'namespaces "ns" is forbidden: User "u" cannot get resource "namespaces" in API group "" in the namespace "ns"',
  },
  {
    line: 'POST /apis/rbac.authorization.k8s.io/v1/clusterroles',
    text: 'clusterroles.rbac.authorization.k8s.io is forbidden: User "u" cannot create resource "clusterroles" in API group "rbac.authorization.k8s.io" at the cluster scope',
  },
  { line: 'GET /metrics', text: 'forbidden: User "u" cannot get path "/metrics"' },
])('$line is refused with: $text', ({ line, text }) => {
  expect(forbiddenError(attributes(line)).message).toBe(text);
  expect(forbiddenError(attributes(line), 'No Object name found').message).toBe(
    `${text}: No Object name found`,
  );
});

test('the field selector of a list is told to who decides', () => {
  expect(attributes('GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn1').fieldSelector).toEqual([
    { field: 'spec.nodeName', equals: true, value: 'n1' },
  ]);
});

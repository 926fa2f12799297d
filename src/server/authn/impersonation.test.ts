import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from 'vitest';
import type { Attributes, Authorizer } from '../authz/authorizer.ts';
import { actingUser } from './impersonation.ts';

const sender = { name: 'admin', groups: ['ops', 'system:authenticated'] };

/** As Node gives headers: by name in small letters, and one after another as they came. */
const headersOf = (...raw: [name: string, value: string][]) => ({
  headers: Object.fromEntries(
    raw.map(([name, value]) => [name.toLowerCase(), value]),
  ) as IncomingHttpHeaders,
  rawHeaders: raw.flat(),
});
const what = ({ group, resource, subresource, namespace, name }: Attributes): string =>
  [group, resource, subresource, namespace, name].join('|');
const asked: string[] = [];
const allowAll: Authorizer = attributes => {
  expect(attributes).toMatchObject({ user: sender, verb: 'impersonate', isResource: true });
  asked.push(what(attributes));
  return { decision: 'allow', reason: '' };
};

test.each<{ raw: [string, string][]; user: object; checked: string[] }>([
  { raw: [['Accept', '*/*']], user: sender, checked: [] },
  {
    raw: [['Impersonate-User', 'jane']],
    user: { name: 'jane', groups: ['system:authenticated'] },
    checked: ['|users|||jane'],
  },
  {
    raw: [
      ['Impersonate-Group', 'dev'],
      ['Impersonate-User', 'jane'],
      ['Impersonate-Group', 'system:masters'],
    ],
    user: { name: 'jane', groups: ['dev', 'system:masters', 'system:authenticated'] },
    checked: ['|users|||jane', '|groups|||dev', '|groups|||system:masters'],
  },
  {
    raw: [['Impersonate-User', 'system:serviceaccount:ci:builder']],
    user: {
      name: 'system:serviceaccount:ci:builder',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:ci', 'system:authenticated'],
    },
    checked: ['|serviceaccounts||ci|builder'],
  },
  {
    raw: [['Impersonate-User', 'system:anonymous']],
    user: { name: 'system:anonymous', groups: ['system:unauthenticated'] },
    checked: ['|users|||system:anonymous'],
  },
  {
    raw: [
      ['impersonate-user', 'jane'],
      ['impersonate-uid', '42'],
      ['impersonate-extra-scopes', 'view'],
      ['impersonate-extra-scopes', 'edit'],
      ['impersonate-extra-acme.com%2fproject', 'p'],
      ['impersonate-group', 'system:unauthenticated'],
    ],
    user: {
      name: 'jane',
      uid: '42',
      groups: ['system:unauthenticated'],
      extra: { scopes: ['view', 'edit'], 'acme.com/project': ['p'] },
    },
    checked: [
      '|users|||jane',
      '|groups|||system:unauthenticated',
      'authentication.k8s.io|userextras|scopes||view',
      'authentication.k8s.io|userextras|scopes||edit',
      'authentication.k8s.io|userextras|acme.com/project||p',
      'authentication.k8s.io|uids|||42',
    ],
  },
])('$raw acts as $user, if $checked is allowed', ({ raw, user, checked }) => {
  asked.length = 0;
  expect(actingUser(sender, headersOf(...raw), allowAll)).toEqual(user);
  expect(asked).toEqual(checked);
});

test('what the sender may not impersonate is refused in the words of any refusal', () => {
  const noMasters: Authorizer = ({ name }) => ({
    decision: name === 'system:masters' ? 'no-opinion' : 'allow',
    reason: '',
  });
  const raw = headersOf(['Impersonate-User', 'jane'], ['Impersonate-Group', 'system:masters']);
  expect(() => actingUser(sender, raw, noMasters)).toThrow(
    'groups "system:masters" is forbidden: User "admin" cannot impersonate resource "groups" in API group "" at the cluster scope',
  );
});

test.each<[string, string]>([
  ['Impersonate-Group', 'system:masters'],
  ['Impersonate-Uid', '42'],
  ['Impersonate-Extra-Scopes', 'view'],
])('%s without a user is refused, whoever asks', (name, value) => {
  expect(() => actingUser(sender, headersOf([name, value]), allowAll)).toThrow(
    'without impersonating a user',
  );
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import type { Attributes } from '../authorizer.ts';
import { compileRole, questionOf, type Question } from './compiled-role.ts';

const ask = (attributes: Partial<Attributes>): Question =>
  questionOf({
    user: { name: 'u', groups: [] },
    isResource: true,
    verb: 'get',
    path: '',
    group: '',
    resource: 'pods',
    subresource: '',
    namespace: 'ns',
    name: '',
    ...attributes,
  });
const get = { subresource: 'log' };
const scale = { group: 'apps', resource: 'deployments', subresource: 'scale' };
const url = (path: string) => ({ isResource: false, path });

const rule = (fields: Partial<PolicyRule>): PolicyRule => ({
  verbs: ['get'],
  apiGroups: [''],
  resources: ['pods'],
  ...fields,
});
const others = Array.from({ length: 60 }, (_, i) =>
  rule({
    verbs: [i % 3 === 0 ? '*' : `other${i}`, 'get'],
    apiGroups: [i % 3 === 1 ? '*' : `other${i}`, ''],
    resources: [`other${i}`, i % 2 === 0 ? 'others' : 'others/status'],
    ...(i % 4 === 0 ? { resourceNames: [`other${i}`] } : {}),
  }),
);
const paths = (...nonResourceURLs: string[]): PolicyRule => ({ verbs: ['get'], nonResourceURLs });

test.each<{ title: string; rule: PolicyRule; allows: object[]; refuses: object[] }>([
  {
    title: 'a resource',
    rule: rule({}),
    allows: [{}, { name: 'a' }],
    refuses: [{ verb: 'list' }, { group: 'apps' }, { resource: 'secrets' }, get],
  },
  {
    title: 'verbs',
    rule: rule({ verbs: ['get', 'list'] }),
    allows: [{}, { verb: 'list' }],
    refuses: [{ verb: 'watch' }, { verb: '*' }],
  },
  {
    title: 'any verb',
    rule: rule({ verbs: ['*'] }),
    allows: [{ verb: 'escalate' }],
    refuses: [get],
  },
  {
    title: 'any group',
    rule: rule({ apiGroups: ['*'] }),
    allows: [{}, { group: 'metrics.k8s.io' }],
    refuses: [{ resource: 'nodes' }],
  },
  {
    title: 'any resource, their subresources too',
    rule: rule({ resources: ['*'] }),
    allows: [{}, { resource: 'secrets' }, get],
    refuses: [{ group: 'apps' }, url('/healthz')],
  },
  {
    title: 'a subresource',
    rule: rule({ resources: ['pods/log'] }),
    allows: [get],
    refuses: [{}, { subresource: 'exec' }, { resource: 'jobs', subresource: 'log' }],
  },
  {
    title: 'a subresource of all',
    rule: rule({ apiGroups: ['*'], resources: ['*/scale'] }),
    allows: [scale, { resource: 'anything', subresource: 'scale' }],
    refuses: [
      { ...scale, subresource: '' },
      { ...scale, subresource: 'status' },
    ],
  },
  {
    title: 'names',
    rule: rule({ resources: ['secrets', 'configmaps'], resourceNames: ['a', 'b'] }),
    allows: [
      { resource: 'secrets', name: 'a' },
      { resource: 'configmaps', name: 'b' },
    ],
    refuses: [{ resource: 'secrets', name: 'c' }, { resource: 'secrets' }],
  },
  {
    title: 'a name that looks like a wildcard',
    rule: rule({ resourceNames: ['*'] }),
    allows: [{ name: '*' }],
    refuses: [{ name: 'a' }, {}],
  },
  {
    title: 'paths',
    rule: paths('/version', '/healthz/*'),
    allows: [url('/version'), url('/healthz/ping'), url('/healthz/')],
    refuses: [url('/version/'), url('/healthz'), { ...url('/version'), verb: 'post' }, {}],
  },
  { title: 'all paths', rule: paths('*'), allows: [url('/'), url('/metrics')], refuses: [{}] },
])('a rule of $title', ({ rule, allows, refuses }) => {
  // Alone, and among so many others that they are indexed.
  for (const role of [compileRole([rule]), compileRole([...others, rule])]) {
    for (const each of allows) expect(role.allows(ask(each)), JSON.stringify(each)).toBe(true);
    for (const each of refuses) expect(role.allows(ask(each)), JSON.stringify(each)).toBe(false);
  }
});

test('rules add to each other, and do not mix', () => {
  const role = compileRole([
    rule({}),
    rule({ verbs: ['delete'], resources: ['secrets'] }),
    rule({ verbs: ['list'], resources: ['secrets'], resourceNames: ['a'] }),
  ]);
  expect(role.allows(ask({}))).toBe(true);
  expect(role.allows(ask({ verb: 'delete' }))).toBe(false);
  expect(role.allows(ask({ verb: 'delete', resource: 'secrets' }))).toBe(true);
  expect(role.allows(ask({ verb: 'list', resource: 'secrets', name: 'b' }))).toBe(false);
  expect(role.allows(ask({ verb: 'list', resource: 'secrets', name: 'a' }))).toBe(true);
});

test('a role without rules allows nothing', () => {
  expect(compileRole([]).allows(ask({}))).toBe(false);
  expect(compileRole([]).allows(ask(url('/version')))).toBe(false);
});

test('many rules allow what each of them allows alone', () => {
  const some = (...values: string[]) =>
    fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 });
  const anyRule = fc.record({
    verbs: some('get', 'list', 'watch', 'v'),
    apiGroups: some('', 'apps', 'batch', 'g'),
    resources: some('pods', 'pods/log', '*/log', 'jobs', 'r'),
    resourceNames: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 2 }),
  });
  const question = fc.record({
    verb: fc.constantFrom('get', 'list', 'delete', 'none'),
    group: fc.constantFrom('', 'apps', 'none'),
    resource: fc.constantFrom('pods', 'jobs', 'none'),
    subresource: fc.constantFrom('', 'log', 'none'),
    name: fc.constantFrom('a', 'b', '', 'none'),
  });
  const rules = fc.array(anyRule, { minLength: 30, maxLength: 80 });
  fc.assert(
    fc.property(rules, fc.array(question, { minLength: 10 }), (all, questions) => {
      const role = compileRole(all);
      for (const each of questions) {
        const alone = all.some(one => compileRole([one]).allows(ask(each)));
        expect(role.allows(ask(each)), JSON.stringify(each)).toBe(alone);
      }
    }),
  );
});

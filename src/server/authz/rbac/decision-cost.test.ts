// Before what it counts.
import { countSteps } from '../../../../test/support/count-steps.ts';
import { expect, test } from 'vitest';
import type { AnyBinding, Subject } from '../../../api/rbac.authorization.k8s.io/v1/binding.ts';
import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import type { UserInfo } from '../../authn/authenticator.ts';
import type { Attributes } from '../authorizer.ts';
import { createAccessRules, type AccessRules } from './access-rules.ts';
import { rbacAuthorizer } from './rbac-authorizer.ts';

const list = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const rbac = 'rbac.authorization.k8s.io';

function bind(
  access: AccessRules,
  { roles, bindings, subjects }: { roles: PolicyRule[][]; bindings: number; subjects: Subject[] },
): void {
  for (const [i, rules] of roles.entries()) {
    access.followers.roles.put({
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata: { name: `r${i}`, namespace: 'ns' },
      rules,
    });
  }
  for (let i = 0; i < bindings; i += 1) {
    const binding: AnyBinding = {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name: `b${i}`, namespace: 'ns' },
      roleRef: { apiGroup: rbac, kind: 'Role', name: `r${i % roles.length}` },
      subjects,
    };
    access.followers.roleBindings.put(binding);
  }
}

const jane: Subject = { kind: 'User', name: 'jane' };
const ask = (user: UserInfo): Attributes => ({
  user,
  isResource: true,
  verb: 'get',
  path: '',
  group: '',
  resource: 'secrets',
  subresource: '',
  namespace: 'ns',
  name: 'x',
});

/** Steps of one decision, when V8 has run the code before. */
async function stepsOf(access: AccessRules, user: UserInfo): Promise<number> {
  const authorize = rbacAuthorizer(access);
  const decide = () => authorize(ask(user));
  expect(decide().decision).toBe('no-opinion');
  await countSteps(decide);
  return countSteps(decide);
}

const none = (i: number): PolicyRule => ({
  verbs: ['get'],
  apiGroups: [''],
  resources: ['secrets'],
  resourceNames: [`n${i}`],
});

test('a decision evaluates a role once, however many bindings name it', async () => {
  const steps = async (bindings: number): Promise<number> => {
    const access = createAccessRules();
    const subjects = [jane, ...list(20, (i): Subject => ({ kind: 'Group', name: `g${i}` }))];
    bind(access, { roles: [list(100, none)], bindings, subjects });
    return stepsOf(access, { name: 'jane', groups: list(20, i => `g${i}`) });
  };
  const [few, many] = [await steps(1), await steps(1000)];
  expect(many).toBeLessThan(few + 100);
});

test.each<{ title: string; rule: (i: number) => PolicyRule }>([
  { title: 'name', rule: none },
  {
    title: 'verb',
    rule: i => ({ verbs: [`v${i}`], apiGroups: [''], resources: ['secrets'] }),
  },
  {
    title: 'group',
    rule: i => ({ verbs: ['get'], apiGroups: [`g${i}`], resources: ['secrets'] }),
  },
  {
    title: 'resource',
    rule: i => ({ verbs: ['get'], apiGroups: [''], resources: [`r${i}`] }),
  },
  {
    title: 'no part alone',
    rule: i => ({
      verbs: [i % 3 === 0 ? `v${i}` : 'get'],
      apiGroups: [i % 3 === 1 ? `g${i}` : ''],
      resources: [i % 3 === 2 ? `r${i}` : 'secrets'],
    }),
  },
])('a decision looks only at the rules that could allow it: by $title', async ({ rule }) => {
  const steps = async (rules: number): Promise<number> => {
    const access = createAccessRules();
    bind(access, { roles: [list(rules, rule)], bindings: 1, subjects: [jane] });
    return stepsOf(access, { name: 'jane', groups: [] });
  };
  const [few, many] = [await steps(100), await steps(10_000)];
  expect(many).toBeLessThan(few + 100);
});

test('a user in many groups takes work in proportion to them, whatever they are bound to', async () => {
  const steps = async (groups: number): Promise<number> => {
    const access = createAccessRules();
    const subjects = list(groups, (i): Subject => ({ kind: 'Group', name: `g${i}` }));
    bind(access, { roles: [list(1000, none)], bindings: 10, subjects });
    return stepsOf(access, { name: 'jane', groups: list(groups, i => `g${i}`) });
  };
  const [at1000, at2000] = [await steps(1000), await steps(2000)];
  expect(at2000 - at1000).toBeLessThan(20 * 1000);
});

test('a group that is named again and again is looked at once', async () => {
  const steps = async (times: number): Promise<number> => {
    const access = createAccessRules();
    const roles = list(100, i => [none(i)]);
    bind(access, { roles, bindings: 100, subjects: [{ kind: 'Group', name: 'dev' }] });
    return stepsOf(access, { name: 'jane', groups: list(times, () => 'dev') });
  };
  const [few, many] = [await steps(100), await steps(10_000)];
  expect(many - few).toBeLessThan(10_000);
});

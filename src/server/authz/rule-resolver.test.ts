// Before what it counts.
import { countSteps } from '../../../test/support/count-steps.ts';
import { expect, test } from 'vitest';
import type { PolicyRule } from '../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import { createAccessRules } from './rbac/access-rules.ts';
import { ruleResolver } from './rule-resolver.ts';

const rbac = 'rbac.authorization.k8s.io';
const jane = { name: 'jane', groups: ['dev'] };
const rule = (name: string): PolicyRule => ({
  verbs: ['get'],
  apiGroups: [''],
  resources: ['secrets'],
  resourceNames: [name.padEnd(500, '-')],
});

function resolverOf({ roles, bindings }: { roles: PolicyRule[][]; bindings: number }) {
  const access = createAccessRules();
  for (const [i, rules] of roles.entries()) {
    const metadata = { name: `r${i}`, namespace: 'ns' };
    access.followers.roles.put({ apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules });
  }
  for (let i = 0; i < bindings; i += 1) {
    access.followers.roleBindings.put({
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name: `b${i}`, namespace: 'ns' },
      roleRef: { apiGroup: rbac, kind: 'Role', name: `r${i % roles.length}` },
      subjects: [
        { kind: 'User', name: 'jane' },
        { kind: 'Group', name: 'dev' },
      ],
    });
  }
  return ruleResolver(access);
}

test('a role is listed once, however many bindings name it', () => {
  const resolve = resolverOf({ roles: [[rule('a')], [rule('b'), rule('c')]], bindings: 10 });
  expect(resolve(jane, 'ns')).toEqual({
    rules: [rule('a'), rule('b'), rule('c')],
    incomplete: false,
    problem: '',
  });
});

test('of more rules than one answer holds, the first are listed and the answer says so', () => {
  const many = Array.from({ length: 4000 }, (_, i) => rule(`n${i}`));
  const { rules, incomplete, problem } = resolverOf({ roles: [many], bindings: 1 })(jane, 'ns');
  expect(rules).toEqual(many.slice(0, rules.length));
  expect(rules.length).toBeGreaterThan(1000);
  expect(JSON.stringify(rules).length).toBeLessThan(4 * 1024 * 1024);
  expect(incomplete).toBe(true);
  expect(problem).toBe(`only ${rules.length} of 4000 rules are listed`);
});

test('the work for a list does not grow with the number of bindings, nor beyond what is listed', async () => {
  const steps = async (size: { rules: number; bindings: number }): Promise<number> => {
    const rules = Array.from({ length: size.rules }, (_, i) => rule(`n${i}`));
    const resolve = resolverOf({ roles: [rules], bindings: size.bindings });
    await countSteps(() => resolve(jane, 'ns'));
    return countSteps(() => resolve(jane, 'ns'));
  };
  const few = await steps({ rules: 4000, bindings: 1 });
  expect(await steps({ rules: 4000, bindings: 1000 })).toBeLessThan(few + 1000);
  expect(await steps({ rules: 8000, bindings: 1 })).toBeLessThan(few + 1000);
});

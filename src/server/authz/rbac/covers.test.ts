// Before what it counts.
import { countSteps } from '../../../../test/support/count-steps.ts';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import { compileRole } from './compiled-role.ts';
import { uncovered } from './covers.ts';
import { compact, ruleText } from './rule-text.ts';

const rule = (verbs: string, group: string, resources: string, names?: string): PolicyRule => ({
  verbs: verbs.split(' '),
  apiGroups: [group],
  resources: resources.split(' '),
  ...(names === undefined ? {} : { resourceNames: names.split(' ') }),
});
const paths = (...nonResourceURLs: string[]): PolicyRule => ({ verbs: ['get'], nonResourceURLs });

test.each<{ title: string; held: PolicyRule[]; wanted: PolicyRule; missing: string[] }>([
  {
    title: 'the same',
    held: [rule('get', '', 'pods')],
    wanted: rule('get', '', 'pods'),
    missing: [],
  },
  {
    title: 'nothing',
    held: [],
    wanted: rule('get list', '', 'pods secrets'),
    missing: [
      '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
    ],
  },
  {
    title: 'parts in several rules',
    held: [rule('get', '', 'pods secrets'), rule('list', '', 'pods')],
    wanted: rule('get list', '', 'pods secrets'),
    missing: ['{APIGroups:[""], Resources:["secrets"], Verbs:["list"]}'],
  },
  {
    title: 'all',
    held: [rule('*', '*', '*'), paths('*')],
    wanted: rule('*', '*', '*'),
    missing: [],
  },
  {
    title: 'many, but not all',
    held: [rule('get list', '*', '*')],
    wanted: rule('*', '*', '*'),
    missing: ['{APIGroups:["*"], Resources:["*"], Verbs:["*"]}'],
  },
  {
    title: 'a subresource of all',
    held: [rule('get', 'apps', '*/scale')],
    wanted: rule('get', 'apps', 'deployments/scale deployments'),
    missing: ['{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}'],
  },
  {
    title: 'some names',
    held: [rule('get', '', 'secrets', 'a b')],
    wanted: rule('get', '', 'secrets', 'b c'),
    missing: ['{APIGroups:[""], Resources:["secrets"], ResourceNames:["c"], Verbs:["get"]}'],
  },
  {
    title: 'names where all are wanted, one of them a star',
    held: [rule('get', '', 'secrets', 'a *')],
    wanted: rule('get', '', 'secrets'),
    missing: ['{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'],
  },
  {
    title: 'all where names are wanted',
    held: [rule('get', '', 'secrets')],
    wanted: rule('get', '', 'secrets', 'a b'),
    missing: [],
  },
  {
    title: 'paths',
    held: [paths('/healthz/*', '/version')],
    wanted: paths('/healthz/ping', '/version', '/metrics', '/healthz/*'),
    missing: ['{NonResourceURLs:["/metrics"], Verbs:["get"]}'],
  },
  {
    title: 'all resources where a path is wanted',
    held: [rule('*', '*', '*')],
    wanted: paths('/metrics'),
    missing: ['{NonResourceURLs:["/metrics"], Verbs:["get"]}'],
  },
])('who holds $title', ({ held, wanted, missing }) => {
  expect(compact(uncovered([compileRole(held)], [wanted]).parts).map(ruleText)).toEqual(missing);
});

/** Kubernetes' way: every part against every rule. */
function missingByExpansion(held: readonly PolicyRule[], wanted: PolicyRule): PolicyRule[] {
  const { apiGroups = [], resources = [], resourceNames = [], verbs } = wanted;
  const has = (values: readonly string[] | undefined, value: string): boolean =>
    values?.includes('*') === true || values?.includes(value) === true;
  const names = resourceNames.length === 0 ? [undefined] : resourceNames;
  return apiGroups
    .flatMap(group =>
      resources.flatMap(resource =>
        verbs.flatMap(verb =>
          names.map(name => ({
            verbs: [verb],
            apiGroups: [group],
            resources: [resource],
            ...(name === undefined ? {} : { resourceNames: [name] }),
          })),
        ),
      ),
    )
    .filter(
      part =>
        !held.some(
          each =>
            has(each.verbs, part.verbs[0] ?? '') &&
            has(each.apiGroups, part.apiGroups[0] ?? '') &&
            has(each.resources, part.resources[0] ?? '') &&
            ((each.resourceNames ?? []).length === 0 ||
              each.resourceNames?.includes(part.resourceNames?.[0] ?? '') === true),
        ),
    );
}

test('what is missing is what Kubernetes finds by making every part', () => {
  const some = (...values: string[]) =>
    fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 4 });
  const anyRule = fc
    .record({
      verbs: some('get', 'list', 'watch', '*'),
      apiGroups: some('', 'apps', 'batch', '*'),
      resources: some('pods', 'secrets', 'jobs', '*'),
      resourceNames: fc.option(some('a', 'b'), { nil: undefined }),
    })
    .map(({ resourceNames, ...rule }) => ({
      ...rule,
      ...(resourceNames === undefined ? {} : { resourceNames }),
    }));
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 40 }), anyRule, (held, wanted) => {
      const { parts, complete } = uncovered([compileRole(held)], [wanted]);
      expect(parts).toEqual(missingByExpansion(held, wanted));
      expect(complete).toBe(true);
    }),
    { numRuns: 500 },
  );
});

const list = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const product = (count: number): PolicyRule => ({
  verbs: list('v', 20),
  apiGroups: list('g', count),
  resources: list('r', count),
});

test.each<{ title: string; held: (wanted: PolicyRule) => PolicyRule[]; missing: number }>([
  { title: 'nothing', held: () => [], missing: 1000 },
  { title: 'all', held: wanted => [wanted], missing: 0 },
  {
    title: 'all, verb by verb',
    held: wanted => wanted.verbs.map(verb => ({ ...wanted, verbs: [verb] })),
    missing: 0,
  },
  {
    title: 'all but one verb',
    held: wanted => wanted.verbs.slice(1).map(verb => ({ ...wanted, verbs: [verb] })),
    missing: 1000,
  },
  {
    title: 'all but one resource of one group',
    held: wanted => [
      { ...wanted, apiGroups: wanted.apiGroups?.slice(1) },
      { ...wanted, resources: wanted.resources?.slice(1) },
    ],
    missing: 20,
  },
])(
  'a product of long lists takes work in proportion to them: $title',
  async ({ held, missing }) => {
    const steps = (count: number): Promise<number> => {
      const wanted = product(count);
      return countSteps(() => uncovered([compileRole(held(wanted))], [wanted], 1000));
    };
    // V8 counts more than it runs the first time.
    await steps(1000);
    const [at1000, at2000, at4000] = [await steps(1000), await steps(2000), await steps(4000)];
    expect(at4000 - at2000).toBeLessThan(3 * (at2000 - at1000) + 10_000);
    const wanted = product(1000);
    expect(uncovered([compileRole(held(wanted))], [wanted], 1000).parts).toHaveLength(missing);
  },
);

test.each<{
  title: string;
  rule: (i: number) => PolicyRule;
  split?: true;
  unit?: number;
}>([
  { title: 'names', rule: i => rule('get', '', 'secrets', `n${i}`) },
  { title: 'resources', rule: i => rule('get list', '', `r${i} pods`) },
  { title: 'resources and verbs', rule: i => rule(`get v${i}`, '', `r${i} pods`) },
  { title: 'verbs', rule: i => rule(`get v${i}`, '', 'pods'), split: true },
  {
    title: 'long lists',
    rule: i => ({ ...rule('get list watch', '', 'pods'), resourceNames: list(`n${i}-`, 100) }),
    unit: 20,
  },
  { title: 'paths', rule: i => paths(`/p${i}`, `/q${i}/*`) },
])(
  'a role of very many rules is covered by the same rules, in work in proportion to them: $title',
  async ({ rule, split, unit = 500 }) => {
    const rolesOf = (wanted: PolicyRule[]) =>
      split === true
        ? [0, 1].map(at =>
            compileRole(wanted.map(each => ({ ...each, verbs: each.verbs.slice(at, at + 1) }))),
          )
        : [compileRole(wanted)];
    const steps = async (count: number): Promise<number> => {
      const wanted = Array.from({ length: count }, (_, i) => rule(i));
      const held = rolesOf(wanted);
      return countSteps(() => uncovered(held, wanted, 1000));
    };
    await steps(unit);
    const [at1, at2, at4] = [await steps(unit), await steps(2 * unit), await steps(4 * unit)];
    expect(at4 - at2).toBeLessThan(3 * (at2 - at1) + 10_000);
    const wanted = Array.from({ length: 8 * unit }, (_, i) => rule(i));
    expect(uncovered(rolesOf(wanted), wanted)).toEqual({ parts: [], complete: true });
  },
);

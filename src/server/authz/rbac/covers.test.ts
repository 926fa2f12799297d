import { expect, test } from 'vitest';
import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import { compact, ruleText, uncovered } from './covers.ts';

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
  expect(compact(uncovered(held, [wanted])).map(ruleText)).toEqual(missing);
});

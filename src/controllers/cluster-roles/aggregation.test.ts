import { expect, test } from 'vitest';
import type { ClusterRole } from '../../api/rbac.authorization.k8s.io/v1/cluster-role.ts';
import { gatheredRules } from './aggregation.ts';

const rule = (resource: string) => ({ verbs: ['get'], apiGroups: [''], resources: [resource] });
const role = (
  name: string,
  labels: Record<string, string>,
  resources: string[],
  selectors?: Record<string, string>[],
): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name, labels },
  rules: resources.map(rule),
  ...(selectors === undefined
    ? {}
    : {
        aggregationRule: { clusterRoleSelectors: selectors.map(matchLabels => ({ matchLabels })) },
      }),
});

test('gatheredRules() takes the rules of the chosen roles, by name, each once, never its own', () => {
  const sum = role('sum', { to: 'sum' }, ['own'], [{ to: 'sum' }, { also: 'yes' }]);
  const all = [
    role('c', { to: 'sum' }, ['c', 'shared']),
    role('b', { to: 'sum' }, ['b', 'shared']),
    role('a', { also: 'yes' }, ['a']),
    role('other', { to: 'view' }, ['other']),
    sum,
  ];
  expect(gatheredRules(sum, all)).toEqual(['b', 'shared', 'c', 'a'].map(rule));
});

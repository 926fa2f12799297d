import { isDeepStrictEqual } from 'node:util';
import {
  clusterRoleResource,
  type ClusterRole,
} from '../../api/rbac.authorization.k8s.io/v1/cluster-role.ts';
import type { PolicyRule } from '../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import { isStatusError } from '../../machinery/status.ts';
import { labelSelectorMatcher } from '../../machinery/selectors/label-selector.ts';
import { createWorkQueue } from '../../machinery/work-queue.ts';
import type { Controller } from '../controller.ts';

/** Gives each ClusterRole with an aggregationRule the rules of the roles that it selects. */
export const clusterRoleAggregation: Controller = {
  name: 'clusterrole-aggregation-controller',
  start({ client, informers, log }) {
    const clusterRoles = client.resource(clusterRoleResource);
    const informer = informers.of(clusterRoleResource);
    const queue = createWorkQueue({
      async work(name) {
        await informer.synced;
        const role = informer.get('', name);
        if (role?.aggregationRule === undefined) return;
        const rules = gatheredRules(role, informer.list());
        if (isDeepStrictEqual(rules, role.rules ?? [])) return;
        try {
          await clusterRoles.update({ ...role, rules });
        } catch (error) {
          // The change that came between arrives by the watch.
          if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
        }
      },
      onError: (role, error) =>
        log.warn('ClusterRole aggregation failed', { role, error: String(error) }),
    });
    // Any role may be a part of any other.
    informer.onChange(() => {
      for (const { metadata, aggregationRule } of informer.list()) {
        if (aggregationRule !== undefined) queue.add(metadata.name ?? '');
      }
    });
    return queue;
  },
};

/** Selector by selector, in each by name; no rule twice. */
export function gatheredRules(
  { metadata, aggregationRule }: ClusterRole,
  all: readonly ClusterRole[],
): PolicyRule[] {
  const others = all
    .filter(each => each.metadata.name !== metadata.name)
    .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  const gathered: PolicyRule[] = [];
  for (const selector of aggregationRule?.clusterRoleSelectors ?? []) {
    const chosen = labelSelectorMatcher(selector);
    for (const role of others.filter(each => chosen(each.metadata.labels ?? {}))) {
      for (const rule of role.rules ?? []) {
        if (!gathered.some(known => isDeepStrictEqual(known, rule))) gathered.push(rule);
      }
    }
  }
  return gathered;
}

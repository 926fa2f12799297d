import { isDeepStrictEqual } from 'node:util';
import type { Subject } from '../../../../api/rbac.authorization.k8s.io/v1/binding.ts';
import {
  clusterRoleBindingResource,
  type ClusterRoleBinding,
} from '../../../../api/rbac.authorization.k8s.io/v1/cluster-role-binding.ts';
import {
  clusterRoleResource,
  type ClusterRole,
} from '../../../../api/rbac.authorization.k8s.io/v1/cluster-role.ts';
import type { KubeObject } from '../../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../../machinery/resource.ts';
import { absent, isStatusError } from '../../../../machinery/status.ts';
import type { ObjectStore } from '../../../registry/object-store.ts';
import { isDamaged } from '../../../registry/store-errors.ts';
import { fillNewObject, strategyContext } from '../../../verbs/write-rules.ts';
import { compileRole } from '../compiled-role.ts';
import { uncovered } from '../covers.ts';
import { compact } from '../rule-text.ts';
import { autoUpdate, bootstrapClusterRoleBindings, bootstrapClusterRoles } from './policy.ts';

/**
 * Makes the default roles and bindings hold at least what they should: missing permissions and
 * subjects are added, others kept, and what says `autoupdate: "false"` is left alone.
 */
export async function reconcileBootstrapPolicy(
  clusterRoles: ObjectStore<ClusterRole>,
  clusterRoleBindings: ObjectStore<ClusterRoleBinding>,
): Promise<void> {
  await Promise.all([
    ...bootstrapClusterRoles().map(each =>
      reconcile(each, {
        objects: clusterRoles,
        resource: clusterRoleResource,
        complete: completeRole,
      }),
    ),
    ...bootstrapClusterRoleBindings().map(each => reconcileBinding(each, clusterRoleBindings)),
  ]);
}

interface Reconciliation<T extends KubeObject> {
  readonly objects: ObjectStore<T>;
  readonly resource: ResourceDescriptor<T>;
  /** Adds to what is there what is expected of it, in place. */
  complete(existing: T, expected: T): void;
}

async function reconcile<T extends KubeObject>(
  expected: T,
  { objects, resource, complete }: Reconciliation<T>,
): Promise<void> {
  const { name = '' } = expected.metadata;
  try {
    await objects.update('', name, existing => {
      if (existing.metadata.annotations?.[autoUpdate] === 'false') return undefined;
      const { metadata } = existing;
      metadata.annotations = { ...expected.metadata.annotations, ...metadata.annotations };
      metadata.labels = { ...expected.metadata.labels, ...metadata.labels };
      complete(existing, expected);
      return existing;
    });
  } catch (error) {
    // A damaged one is made anew.
    if (isDamaged(error)) await objects.delete('', name);
    else if (!isStatusError(error, 'NotFound')) throw error;
    fillNewObject(expected, resource, strategyContext());
    await objects.create(expected);
  }
}

export function completeRole(existing: ClusterRole, expected: ClusterRole): void {
  const missing = compact(
    uncovered([compileRole(existing.rules ?? [])], expected.rules ?? []).parts,
  );
  if (missing.length > 0) existing.rules = [...(existing.rules ?? []), ...missing];
  if (expected.aggregationRule === undefined) {
    delete existing.aggregationRule;
    return;
  }
  const selectors = existing.aggregationRule?.clusterRoleSelectors ?? [];
  const more = (expected.aggregationRule.clusterRoleSelectors ?? []).filter(
    each => !selectors.some(known => isDeepStrictEqual(known, each)),
  );
  existing.aggregationRule = { clusterRoleSelectors: [...selectors, ...more] };
}

export function completeBinding(existing: ClusterRoleBinding, expected: ClusterRoleBinding): void {
  const { subjects = [] } = existing;
  const more = (expected.subjects ?? []).filter(each => !subjects.some(same(each)));
  if (more.length > 0) existing.subjects = [...subjects, ...more];
}

const same =
  (a: Subject) =>
  (b: Subject): boolean =>
    a.kind === b.kind &&
    a.name === b.name &&
    (a.apiGroup ?? '') === (b.apiGroup ?? '') &&
    (a.namespace ?? '') === (b.namespace ?? '');

const absentOrDamaged = (error: unknown): undefined =>
  isDamaged(error) ? undefined : absent(error);

/** A binding to another role cannot be completed: it is made anew. */
async function reconcileBinding(
  expected: ClusterRoleBinding,
  objects: ObjectStore<ClusterRoleBinding>,
): Promise<void> {
  const { name = '' } = expected.metadata;
  const existing = (await objects.get('', name).catch(absentOrDamaged))?.object();
  const other = existing !== undefined && !isDeepStrictEqual(existing.roleRef, expected.roleRef);
  if (other && existing.metadata.annotations?.[autoUpdate] !== 'false') {
    await objects.delete('', name);
  }
  await reconcile(expected, {
    objects,
    resource: clusterRoleBindingResource,
    complete: completeBinding,
  });
}

import { memberOf } from '../../../../machinery/member.ts';
import type { Subject } from '../../../../api/rbac.authorization.k8s.io/v1/binding.ts';
import type { ClusterRoleBinding } from '../../../../api/rbac.authorization.k8s.io/v1/cluster-role-binding.ts';
import type { ClusterRole } from '../../../../api/rbac.authorization.k8s.io/v1/cluster-role.ts';
import {
  rbacGroup,
  type PolicyRule,
} from '../../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import { componentRoles, controllerRoles } from './component-roles.ts';
import { aggregatedParts, aggregatedRoles, flowsInto, userRoles } from './user-roles.ts';

export const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';

const aggregationLabel = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`;

const metadata = (name: string, labels: Record<string, string> = {}) => ({
  name,
  annotations: { [autoUpdate]: 'true' },
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
});

const clusterRole = (
  name: string,
  content: Pick<ClusterRole, 'rules' | 'aggregationRule'>,
): ClusterRole => {
  const sum = memberOf(flowsInto, name);
  return {
    apiVersion: `${rbacGroup}/v1`,
    kind: 'ClusterRole',
    metadata: metadata(name, sum === undefined ? {} : { [aggregationLabel(sum)]: 'true' }),
    ...content,
  };
};

const rolesOf = (roles: Readonly<Record<string, readonly PolicyRule[]>>, prefix = '') =>
  Object.entries(roles).map(([name, rules]) =>
    clusterRole(`${prefix}${name}`, { rules: structuredClone([...rules]) }),
  );

/** What there is from the first start on. */
export const bootstrapClusterRoles = (): ClusterRole[] => [
  ...rolesOf(userRoles),
  ...aggregatedRoles.map(name =>
    clusterRole(name, {
      aggregationRule: {
        clusterRoleSelectors: [{ matchLabels: { [aggregationLabel(name)]: 'true' } }],
      },
    }),
  ),
  ...rolesOf(aggregatedParts),
  ...rolesOf(componentRoles),
  ...rolesOf(controllerRoles, 'system:controller:'),
];

const user = (name: string): Subject => ({ apiGroup: rbacGroup, kind: 'User', name });
const group = (name: string): Subject => ({ apiGroup: rbacGroup, kind: 'Group', name });

const controllerManager = user('system:kube-controller-manager');
const authenticated = group('system:authenticated');

const subjectsOf: Readonly<Record<string, readonly Subject[]>> = {
  'cluster-admin': [group('system:masters')],
  'system:discovery': [authenticated],
  'system:basic-user': [authenticated],
  'system:public-info-viewer': [authenticated, group('system:unauthenticated')],
  'system:monitoring': [group('system:monitoring')],
  'system:service-account-issuer-discovery': [group('system:serviceaccounts')],
  'system:node': [],
  'system:kube-controller-manager': [controllerManager],
  // One client runs every control loop here, the scheduler among them.
  'system:kube-scheduler': [user('system:kube-scheduler'), controllerManager],
  ...Object.fromEntries(
    Object.keys(controllerRoles).map(name => [`system:controller:${name}`, [controllerManager]]),
  ),
};

export const bootstrapClusterRoleBindings = (): ClusterRoleBinding[] =>
  Object.entries(subjectsOf).map(([name, subjects]) => ({
    apiVersion: `${rbacGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: metadata(name),
    roleRef: { apiGroup: rbacGroup, kind: 'ClusterRole', name },
    ...(subjects.length === 0 ? {} : { subjects: structuredClone([...subjects]) }),
  }));

import type { PolicyRule } from '../../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import { pathRule, read, rule, write } from './rule.ts';

/** Roles for people and for programs of theirs, as Kubernetes has them. */
export const userRoles: Readonly<Record<string, readonly PolicyRule[]>> = {
  'cluster-admin': [rule('*', '*', '*'), pathRule('*', '*')],
  'system:discovery': [
    pathRule(
      'get',
      '/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/',
    ),
  ],
  'system:basic-user': [
    rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ],
  'system:public-info-viewer': [pathRule('get', '/healthz /livez /readyz /version /version/')],
  'system:monitoring': [
    pathRule('get', '/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*'),
  ],
  'system:service-account-issuer-discovery': [
    pathRule('get', '/.well-known/openid-configuration /openid/v1/jwks'),
  ],
  'system:auth-delegator': [
    rule('create', 'authentication.k8s.io', 'tokenreviews'),
    rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
  ],
};

/** Roles that are the sum of others: whichever carries the label of flowing into them. */
export const aggregatedRoles = ['admin', 'edit', 'view'] as const;

/** Which role flows into which: admin holds all of edit, edit all of view. */
export const flowsInto: Readonly<Record<string, string>> = {
  edit: 'admin',
  view: 'edit',
  'system:aggregate-to-admin': 'admin',
  'system:aggregate-to-edit': 'edit',
  'system:aggregate-to-view': 'view',
};

const inContainers = 'pods/attach pods/exec pods/portforward pods/proxy';
const workloads =
  'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale';
const watchedWorkloads =
  'daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status';

export const aggregatedParts: Readonly<Record<string, readonly PolicyRule[]>> = {
  'system:aggregate-to-admin': [
    rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
    rule(
      'create delete deletecollection get list patch update watch',
      'rbac.authorization.k8s.io',
      'rolebindings roles',
    ),
  ],
  'system:aggregate-to-edit': [
    // Reading these is as good as writing: a secret holds the keys of others.
    rule(read, 'core', `${inContainers} secrets services/proxy`),
    rule('impersonate', 'core', 'serviceaccounts'),
    rule(write, 'core', `pods ${inContainers}`),
    rule('create', 'core', 'pods/eviction'),
    rule(
      write,
      'core',
      'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
    ),
    rule('create', 'core', 'serviceaccounts/token'),
    rule(write, 'apps', `${workloads} statefulsets statefulsets/scale`),
    rule(write, 'autoscaling', 'horizontalpodautoscalers'),
    rule(write, 'batch', 'cronjobs jobs'),
    rule(
      write,
      'extensions',
      `${workloads} ingresses networkpolicies replicationcontrollers/scale`,
    ),
    rule(write, 'policy', 'poddisruptionbudgets'),
    rule(write, 'networking.k8s.io', 'ingresses networkpolicies'),
    rule(`${read} ${write}`, 'coordination.k8s.io', 'leases'),
  ],
  'system:aggregate-to-view': [
    rule(
      read,
      'core',
      'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
    ),
    rule(
      read,
      'core',
      'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
    ),
    rule(read, 'core', 'namespaces'),
    rule(read, 'discovery.k8s.io', 'endpointslices'),
    rule(
      read,
      'apps',
      `controllerrevisions ${watchedWorkloads} statefulsets statefulsets/scale statefulsets/status`,
    ),
    rule(read, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
    rule(read, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
    rule(
      read,
      'extensions',
      `${watchedWorkloads} ingresses ingresses/status networkpolicies replicationcontrollers/scale`,
    ),
    rule(read, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
    rule(read, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
  ],
};

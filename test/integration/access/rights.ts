/**
 * Who may what, by Kubernetes' rules, worked out without the server's code: RBAC
 * (plugin/pkg/auth/authorizer/rbac, pkg/apis/rbac/v1/evaluation_helpers.go) with its default bindings
 * (plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go), and the node authorizer.
 */
import { nodeMay } from './node-rights.ts';
import type { Operation, PathAccess } from './reading.ts';
import type { Grant, Role, Rule } from './roles.ts';

const everywhere = (rule: Rule): Grant => ({ namespace: '', rule });
const paths = (...nonResourceURLs: string[]): Grant =>
  everywhere({ verbs: ['get'], nonResourceURLs });
const creates = (group: string, ...resources: string[]): Grant =>
  everywhere({ verbs: ['create'], apiGroups: [group], resources });

/** system:public-info-viewer */
const everybody = [paths('/healthz', '/livez', '/readyz', '/version', '/version/')];
/** system:discovery and system:basic-user */
const authenticated = [
  paths('/api', '/api/*', '/apis', '/apis/*', '/healthz', '/livez', '/openapi', '/openapi/*'),
  paths('/readyz', '/version', '/version/'),
  creates('authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
  creates('authentication.k8s.io', 'selfsubjectreviews'),
];
/** system:service-account-issuer-discovery */
const serviceAccounts = [paths('/.well-known/openid-configuration', '/openid/v1/jwks')];

export function may(role: Role, access: Operation | PathAccess): boolean {
  if (role.refused === true) return false;
  if (role.administrator === true) return true;
  if (grantsOf(role).some(grant => allows(grant, access))) return true;
  return role.node !== undefined && access.type === 'resource' && nodeMay(role.node, access);
}

const grantsOf = ({ credentials, grants }: Role): Grant[] => [
  ...grants,
  ...everybody,
  ...(credentials.type === 'none' ? [] : authenticated),
  ...(credentials.type === 'token' ? serviceAccounts : []),
];

function allows({ namespace, rule }: Grant, access: Operation | PathAccess): boolean {
  if (!has(rule.verbs, access.verb)) return false;
  if (access.type === 'path') {
    return (rule.nonResourceURLs ?? []).some(url =>
      url.endsWith('*') ? access.path.startsWith(url.slice(0, -1)) : url === access.path,
    );
  }
  const { resourceNames = [] } = rule;
  const { resource, subresource } = access;
  const wanted =
    subresource === '' ? [resource] : [`${resource}/${subresource}`, `*/${subresource}`];
  return (
    (namespace === '' || namespace === access.namespace) &&
    has(rule.apiGroups, access.group) &&
    wanted.some(each => has(rule.resources, each)) &&
    (resourceNames.length === 0 || resourceNames.includes(access.name))
  );
}

const has = (values: readonly string[] = [], wanted: string): boolean =>
  values.includes('*') || values.includes(wanted);

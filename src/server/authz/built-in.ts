import { anyOf, type Attributes, type Authorizer } from './authorizer.ts';

const inGroup = ({ user }: Attributes, group: string): boolean => user.groups.includes(group);

/** Administrators, and the controllers of this process. */
const masters: Authorizer = attributes =>
  inGroup(attributes, 'system:masters') || attributes.user.name === 'system:kube-controller-manager'
    ? 'allow'
    : 'no-opinion';

/** Every user that is known by name may ask what there is and what it may do. */
const discovery: Authorizer = attributes => {
  const { isResource, verb, path, group } = attributes;
  const health = ['/healthz', '/livez', '/readyz', '/version'];
  if (
    !isResource &&
    verb === 'get' &&
    health.some(each => path === each || path.startsWith(`${each}/`))
  )
    return 'allow';
  if (!inGroup(attributes, 'system:authenticated')) return 'no-opinion';
  if (!isResource) {
    return verb === 'get' && /^\/(api|apis|openapi|openid|\.well-known)(\/|$)/.test(path)
      ? 'allow'
      : 'no-opinion';
  }
  const selfReview = verb === 'create' && /^(authentication|authorization)\.k8s\.io$/.test(group);
  return selfReview && attributes.resource.startsWith('selfsubject') ? 'allow' : 'no-opinion';
};

/** What an agent needs: its own node and lease, pods, events, and objects that pods name. */
const nodes: Authorizer = attributes => {
  if (!inGroup(attributes, 'system:nodes')) return 'no-opinion';
  const { isResource, verb, resource, subresource, name, user } = attributes;
  if (!isResource) return 'no-opinion';
  const reads = ['get', 'list', 'watch'].includes(verb);
  const nodeName = user.name.replace(/^system:node:/, '');
  switch (resource) {
    case 'secrets':
    case 'configmaps':
      // A list or watch has to name the one object; its name comes from the field selector.
      return reads && name !== '' ? 'allow' : 'no-opinion';
    case 'nodes':
      return reads || verb === 'create' || name === nodeName ? 'allow' : 'no-opinion';
    case 'pods':
      if (subresource === 'status')
        return ['patch', 'update'].includes(verb) ? 'allow' : 'no-opinion';
      return subresource === '' && (reads || verb === 'delete') ? 'allow' : 'no-opinion';
    case 'leases':
    case 'events':
      return 'allow';
    case 'serviceaccounts':
      return subresource === 'token' && verb === 'create' ? 'allow' : 'no-opinion';
    case 'services':
    case 'namespaces':
      return reads ? 'allow' : 'no-opinion';
    default:
      return 'no-opinion';
  }
};

/** What holds before any rule that a user writes. */
export const builtInAuthorizer: Authorizer = anyOf(masters, discovery, nodes);

import type { UserInfo } from '../authn/authenticator.ts';
import type { RequestInfo } from '../http/request-info.ts';
import { forbidden, failure, type StatusError } from '../../machinery/status.ts';

/** What is to be allowed: who does what to which resource or path. */
export interface Attributes extends Pick<
  RequestInfo,
  'isResource' | 'verb' | 'path' | 'group' | 'resource' | 'subresource' | 'namespace' | 'name'
> {
  readonly user: UserInfo;
}

export type Decision = 'allow' | 'deny' | 'no-opinion';

/** One voice; the first that is not `no-opinion` decides, and nobody's is a no. */
export type Authorizer = (attributes: Attributes) => Decision;

export const anyOf =
  (...authorizers: readonly Authorizer[]): Authorizer =>
  attributes => {
    for (const authorizer of authorizers) {
      const decision = authorizer(attributes);
      if (decision !== 'no-opinion') return decision;
    }
    return 'no-opinion';
  };

/** 403 in Kubernetes' words. */
export function forbiddenError({
  user,
  isResource,
  verb,
  path,
  group,
  resource,
  subresource,
  namespace,
  name,
}: Attributes): StatusError {
  if (!isResource) {
    return failure(
      403,
      'Forbidden',
      `forbidden: User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}`,
      {},
    );
  }
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const scope =
    namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return forbidden(
    { group, plural: resource },
    name,
    `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${scope}`,
  );
}

import { failure, forbidden, type StatusError } from '../../machinery/status.ts';
import type { FieldRequirement } from '../../machinery/selectors/field-selector.ts';
import type { UserInfo } from '../authn/authenticator.ts';

/** What is to be allowed: who does what to which resource or path. */
export interface Attributes {
  readonly user: UserInfo;
  readonly isResource: boolean;
  readonly verb: string;
  readonly path: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  /** Empty: the whole cluster. */
  readonly namespace: string;
  /** Of one object; of a list or watch, the one that its field selector asks for. */
  readonly name: string;
  /** Of a list or watch. */
  readonly fieldSelector?: readonly FieldRequirement[];
}

export interface Verdict {
  readonly decision: 'allow' | 'deny' | 'no-opinion';
  /** Why, in Kubernetes' words; may be empty. */
  readonly reason: string;
}

/** One voice. It answers from memory: every request waits for it. */
export type Authorizer = (attributes: Attributes) => Verdict;

export const noOpinion: Verdict = { decision: 'no-opinion', reason: '' };

/** The first that is not `no-opinion` decides. Nobody's is a no, with all their reasons. */
export const anyOf =
  (...authorizers: readonly Authorizer[]): Authorizer =>
  attributes => {
    let reason = '';
    for (const authorizer of authorizers) {
      const verdict = authorizer(attributes);
      if (verdict.decision !== 'no-opinion') return verdict;
      if (verdict.reason !== '') reason += reason === '' ? verdict.reason : `\n${verdict.reason}`;
    }
    return reason === '' ? noOpinion : { decision: 'no-opinion', reason };
  };

/** @throws StatusError Forbidden */
export function mustAllow(authorize: Authorizer, attributes: Attributes): void {
  const { decision, reason } = authorize(attributes);
  if (decision !== 'allow') throw forbiddenError(attributes, reason);
}

/** 403 in Kubernetes' words. */
export function forbiddenError(attributes: Attributes, reason = ''): StatusError {
  const { user, isResource, verb, path, group, resource, subresource } = attributes;
  const { namespace, name } = attributes;
  const quoted = JSON.stringify;
  const because = reason === '' ? '' : `: ${reason}`;
  const who = `User ${quoted(user.name)} cannot ${verb}`;
  if (!isResource) {
    return failure(403, 'Forbidden', `forbidden: ${who} path ${quoted(path)}${because}`, {});
  }
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${quoted(namespace)}`;
  return forbidden(
    { group, plural: resource },
    name,
    `${who} resource ${quoted(what)} in API group ${quoted(group)} ${where}${because}`,
  );
}

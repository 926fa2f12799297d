import type { IncomingHttpHeaders } from 'node:http';
import { badRequest } from '../../machinery/status.ts';
import { mustAllow, type Attributes, type Authorizer } from '../authz/authorizer.ts';
import type { UserInfo } from './authenticator.ts';

/** A request's headers: merged by name, and one after another as they came. */
export interface ImpersonationHeaders {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

const prefix = 'impersonate-';
const extraPrefix = 'impersonate-extra-';

/**
 * Whom a request acts as: its sender, or whom the Impersonate-… headers name (`kubectl --as`).
 * Each thing that is impersonated has to be allowed to the sender.
 * @throws StatusError BadRequest, Forbidden
 */
export function actingUser(
  sender: UserInfo,
  { headers, rawHeaders }: ImpersonationHeaders,
  authorize: Authorizer,
): UserInfo {
  for (const name in headers) {
    if (name.startsWith(prefix)) return impersonated(sender, rawHeaders, authorize);
  }
  return sender;
}

/** What the headers ask for, in the order that it is checked in. */
interface Wanted {
  user: string;
  uid: string;
  readonly groups: string[];
  readonly extra: Map<string, string[]>;
}

function impersonated(
  sender: UserInfo,
  rawHeaders: readonly string[],
  authorize: Authorizer,
): UserInfo {
  const wanted = wantedIn(rawHeaders);
  const objects = objectsOf(wanted);
  const [first] = objects;
  if (first === undefined) return sender;
  if (wanted.user === '') {
    throw badRequest(
      `requested [${objects.map(referenceText).join(' ')}] without impersonating a user`,
    );
  }
  for (const { group, resource, subresource, namespace, name } of objects) {
    mustAllow(authorize, {
      user: sender,
      isResource: true,
      verb: 'impersonate',
      path: '',
      group,
      resource,
      subresource,
      namespace,
      name,
    });
  }
  const account = accountOf(wanted.user);
  const groups =
    wanted.groups.length > 0 || account === undefined
      ? wanted.groups
      : ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`];
  return {
    name: wanted.user,
    groups: withAudience(wanted.user, groups),
    ...(wanted.uid === '' ? {} : { uid: wanted.uid }),
    ...(wanted.extra.size === 0 ? {} : { extra: Object.fromEntries(wanted.extra) }),
  };
}

function wantedIn(rawHeaders: readonly string[]): Wanted {
  const wanted: Wanted = { user: '', uid: '', groups: [], extra: new Map() };
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    if (name === 'impersonate-user') wanted.user ||= value;
    else if (name === 'impersonate-uid') wanted.uid ||= value;
    else if (name === 'impersonate-group') wanted.groups.push(value);
    else if (name.startsWith(extraPrefix)) {
      const key = unescaped(name.slice(extraPrefix.length));
      wanted.extra.set(key, [...(wanted.extra.get(key) ?? []), value]);
    }
  }
  return wanted;
}

/** Keys are percent-encoded where a header's name cannot hold them. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

interface ImpersonatedObject extends Pick<
  Attributes,
  'group' | 'resource' | 'subresource' | 'namespace' | 'name'
> {
  readonly kind: string;
}

const authentication = 'authentication.k8s.io';

function objectsOf({ user, groups, extra, uid }: Wanted): ImpersonatedObject[] {
  const plain = { group: '', subresource: '', namespace: '' };
  const account = accountOf(user);
  const objects: ImpersonatedObject[] = [];
  if (account !== undefined) {
    objects.push({ ...plain, kind: 'ServiceAccount', resource: 'serviceaccounts', ...account });
  } else if (user !== '') {
    objects.push({ ...plain, kind: 'User', resource: 'users', name: user });
  }
  for (const name of groups) objects.push({ ...plain, kind: 'Group', resource: 'groups', name });
  for (const [key, values] of extra) {
    for (const name of values) {
      const where = { ...plain, group: authentication, subresource: key };
      objects.push({ ...where, kind: 'UserExtra', resource: 'userextras', name });
    }
  }
  if (uid !== '') {
    objects.push({ ...plain, group: authentication, kind: 'UID', resource: 'uids', name: uid });
  }
  return objects;
}

/** Go's %v of an ObjectReference: kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath. */
const referenceText = ({ kind, namespace, name, group, subresource }: ImpersonatedObject) =>
  `{${[kind, namespace, name, '', group === '' ? '' : `${group}/v1`, '', subresource].join(' ')}}`;

function accountOf(user: string): { namespace: string; name: string } | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  return match === null ? undefined : { namespace: match[1] ?? '', name: match[2] ?? '' };
}

/** Everybody is of one of two groups: those who are known by name, and those who are not. */
function withAudience(user: string, groups: readonly string[]): string[] {
  const unknown = 'system:unauthenticated';
  const known = 'system:authenticated';
  if (user === 'system:anonymous')
    return groups.includes(unknown) ? [...groups] : [...groups, unknown];
  return groups.includes(known) || groups.includes(unknown) ? [...groups] : [...groups, known];
}

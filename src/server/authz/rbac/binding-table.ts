import type {
  AnyBinding,
  RoleRef,
  Subject,
} from '../../../api/rbac.authorization.k8s.io/v1/binding.ts';
import type { UserInfo } from '../../authn/authenticator.ts';
import type { Follower } from '../../registry/follow-objects.ts';
import type { Verdict } from '../authorizer.ts';

/** What one binding gives to one of its subjects. */
export interface Grant {
  readonly roleRef: RoleRef;
  /** The role, as a key: the same for all bindings to it. */
  readonly roleKey: string;
  /** Answered when the role allows. */
  readonly verdict: Verdict;
}

/** The bindings of one kind, found by whom they name. */
export interface BindingTable extends Follower<AnyBinding> {
  /** At least one grant of each role that is bound to the user. @param namespace empty for bindings that have none */
  grantsOf(user: UserInfo, namespace: string): Iterable<Grant>;
}

/** role → binding → grant: a role is found once, however many bindings give it. */
type Grants = Map<string, Map<string, Grant>>;

/** The bindings of one namespace, by subject. */
interface Place {
  readonly users: Map<string, Grants>;
  readonly groups: Map<string, Grants>;
}

/** Whom a binding names. */
interface Named {
  readonly type: keyof Place;
  readonly name: string;
}

interface KnownBinding {
  readonly roleKey: string;
  readonly subjects: readonly Named[];
}

const manyGroups = 64;

export function createBindingTable(): BindingTable {
  const places = new Map<string, Place>();
  /** What each binding gave to whom, to take it back by. */
  const known = new Map<string, KnownBinding>();

  const remove = (namespace: string, name: string): void => {
    const binding = `${namespace}/${name}`;
    const place = places.get(namespace);
    const { roleKey, subjects } = known.get(binding) ?? { roleKey: '', subjects: [] };
    known.delete(binding);
    if (place === undefined) return;
    for (const subject of subjects) {
      const grants = place[subject.type].get(subject.name);
      const ofRole = grants?.get(roleKey);
      ofRole?.delete(binding);
      if (ofRole?.size === 0) grants?.delete(roleKey);
      if (grants?.size === 0) place[subject.type].delete(subject.name);
    }
    if (place.users.size + place.groups.size === 0) places.delete(namespace);
  };

  return {
    put(binding) {
      const { namespace = '', name = '' } = binding.metadata;
      remove(namespace, name);
      const key = `${namespace}/${name}`;
      const roleKey = `${binding.roleRef.kind}/${binding.roleRef.name}`;
      const place = places.get(namespace) ?? { users: new Map(), groups: new Map() };
      const named: Named[] = [];
      for (const subject of binding.subjects ?? []) {
        const who = subjectOf(subject, namespace);
        if (who === undefined) continue;
        const grants: Grants =
          place[who.type].get(who.name) ?? new Map<string, Map<string, Grant>>();
        const ofRole = grants.get(roleKey) ?? new Map<string, Grant>();
        if (ofRole.has(key)) continue;
        ofRole.set(key, grantOf(binding, subject, roleKey));
        place[who.type].set(who.name, grants.set(roleKey, ofRole));
        named.push(who);
      }
      if (named.length > 0) places.set(namespace, place);
      known.set(key, { roleKey, subjects: named });
    },
    remove,
    clear() {
      places.clear();
      known.clear();
    },
    *grantsOf({ name, groups }, namespace) {
      const place = places.get(namespace);
      if (place === undefined) return;
      const ofUser = place.users.get(name);
      if (ofUser !== undefined) for (const ofRole of ofUser.values()) yield firstOf(ofRole);
      if (place.groups.size === 0) return;
      // An access review may name a group very often.
      for (const group of groups.length > manyGroups ? new Set(groups) : groups) {
        const ofGroup = place.groups.get(group);
        if (ofGroup !== undefined) for (const ofRole of ofGroup.values()) yield firstOf(ofRole);
      }
    },
  };
}

/** @param ofRole never empty */
const firstOf = (ofRole: ReadonlyMap<string, Grant>): Grant =>
  ofRole.values().next().value as Grant;

/** An account is the user of its name. One without a namespace is of the binding's, or of none. */
function subjectOf(subject: Subject, namespace: string): Named | undefined {
  const { kind, name } = subject;
  if (kind === 'User') return { type: 'users', name };
  if (kind === 'Group') return { type: 'groups', name };
  const within = subject.namespace || namespace;
  return kind === 'ServiceAccount' && within !== ''
    ? { type: 'users', name: `system:serviceaccount:${within}:${name}` }
    : undefined;
}

function grantOf(
  { metadata, roleRef }: AnyBinding,
  { kind, ...subject }: Subject,
  roleKey: string,
): Grant {
  const { name = '', namespace = '' } = metadata;
  const quoted = JSON.stringify;
  const binding =
    namespace === ''
      ? `ClusterRoleBinding ${quoted(name)}`
      : `RoleBinding ${quoted(`${name}/${namespace}`)}`;
  const who =
    kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || namespace}` : subject.name;
  return {
    roleRef,
    roleKey,
    verdict: {
      decision: 'allow',
      reason: `RBAC: allowed by ${binding} of ${roleRef.kind} ${quoted(roleRef.name)} to ${kind} ${quoted(who)}`,
    },
  };
}

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
  /** Answered when the role allows. */
  readonly verdict: Verdict;
}

/** The bindings of one kind, found by whom they name. */
export interface BindingTable extends Follower<AnyBinding> {
  /** @param namespace empty for bindings that have none */
  grantsOf(user: UserInfo, namespace: string): Iterable<Grant>;
}

/** subject → binding → grant */
type Place = Map<string, Map<string, Grant>>;

export function createBindingTable(): BindingTable {
  const places = new Map<string, Place>();
  /** Whom each binding names, to take it back by. */
  const subjects = new Map<string, ReadonlySet<string>>();

  const remove = (namespace: string, name: string): void => {
    const binding = `${namespace}/${name}`;
    const place = places.get(namespace);
    for (const subject of subjects.get(binding) ?? []) {
      const grants = place?.get(subject);
      grants?.delete(binding);
      if (grants?.size === 0) place?.delete(subject);
    }
    if (place?.size === 0) places.delete(namespace);
    subjects.delete(binding);
  };

  return {
    put(binding) {
      const { namespace = '', name = '' } = binding.metadata;
      remove(namespace, name);
      const key = `${namespace}/${name}`;
      const place: Place = places.get(namespace) ?? new Map<string, Map<string, Grant>>();
      const named = new Set<string>();
      for (const subject of binding.subjects ?? []) {
        const who = keyOf(subject, namespace);
        if (who === undefined || named.has(who)) continue;
        named.add(who);
        const grants = place.get(who) ?? new Map<string, Grant>();
        place.set(who, grants.set(key, grantOf(binding, subject)));
      }
      if (place.size > 0) places.set(namespace, place);
      subjects.set(key, named);
    },
    remove,
    clear() {
      places.clear();
      subjects.clear();
    },
    *grantsOf({ name, groups }, namespace) {
      const place = places.get(namespace);
      if (place === undefined) return;
      yield* place.get(userKey(name))?.values() ?? [];
      for (const group of groups) yield* place.get(groupKey(group))?.values() ?? [];
    },
  };
}

const userKey = (name: string): string => `User ${name}`;
const groupKey = (name: string): string => `Group ${name}`;

/** An account is the user of its name. One without a namespace is of the binding's, or of none. */
function keyOf(subject: Subject, namespace: string): string | undefined {
  const { kind, name } = subject;
  if (kind === 'User') return userKey(name);
  if (kind === 'Group') return groupKey(name);
  const within = subject.namespace || namespace;
  return kind === 'ServiceAccount' && within !== ''
    ? userKey(`system:serviceaccount:${within}:${name}`)
    : undefined;
}

function grantOf({ metadata, roleRef }: AnyBinding, { kind, ...subject }: Subject): Grant {
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
    verdict: {
      decision: 'allow',
      reason: `RBAC: allowed by ${binding} of ${roleRef.kind} ${quoted(roleRef.name)} to ${kind} ${quoted(who)}`,
    },
  };
}

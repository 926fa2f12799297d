import { isDeepStrictEqual } from 'node:util';
import type { AnyBinding } from '../../api/rbac.authorization.k8s.io/v1/binding.ts';
import type { ClusterRole } from '../../api/rbac.authorization.k8s.io/v1/cluster-role.ts';
import { rbacGroup, type PolicyRule } from '../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { forbidden, notFound, type StatusError } from '../../machinery/status.ts';
import type { UserInfo } from '../authn/authenticator.ts';
import type { Attributes, Authorizer } from '../authz/authorizer.ts';
import { mastersGroup } from '../authz/privileged-groups.ts';
import type { AccessRules } from '../authz/rbac/access-rules.ts';
import { findUncovered, type Uncovered } from '../authz/rbac/covers.ts';
import { compact, quotedList, ruleText } from '../authz/rbac/rule-text.ts';
import { rolesOf } from '../authz/rbac/rbac-authorizer.ts';
import { nextTurn } from '../turns.ts';
import type { AdmissionHook, AdmissionRequest } from './admission.ts';

const fullAuthority: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** Nobody gives more than he has: in a role, unless he may `escalate`; in a binding, unless he may `bind`. */
export function roleEscalation(access: AccessRules, authorize: Authorizer): AdmissionHook {
  const may = (
    verb: string,
    { user, namespace }: AdmissionRequest,
    on: Pick<Attributes, 'group' | 'resource' | 'name'>,
  ): boolean =>
    authorize({ ...on, user, namespace, verb, isResource: true, path: '', subresource: '' })
      .decision === 'allow';

  /** @returns what is missing, in Kubernetes' words; undefined when nothing is */
  const lacks = async (
    { user, namespace }: AdmissionRequest,
    wanted: readonly PolicyRule[],
  ): Promise<string | undefined> => {
    const { roles, problem } = rolesOf(access, user, namespace);
    const missing = await inTurns(user, findUncovered(roles, wanted, maxMissingParts));
    return missing.parts.length === 0 ? undefined : grantText(user, missing, problem);
  };

  const checkRole = async (request: AdmissionRequest, role: ClusterRole): Promise<void> => {
    const { descriptor, operation, name, old } = request;
    const { group, plural: resource } = descriptor;
    // The name of what is made is not part of the question, as it is not part of the path.
    if (may('escalate', request, { group, resource, name: operation === 'create' ? '' : name }))
      return;
    const missing = await lacks(request, role.rules ?? []);
    if (missing !== undefined) throw refusal(request, missing);
    const before: ClusterRole | undefined = old;
    const aggregates = role.aggregationRule ?? before?.aggregationRule;
    if (aggregates !== undefined && (await lacks(request, fullAuthority)) !== undefined)
      throw refusal(request, 'must have cluster-admin privileges to use the aggregationRule');
  };

  const checkBinding = async (
    request: AdmissionRequest,
    { roleRef }: AnyBinding,
  ): Promise<void> => {
    const { apiGroup: group, kind, name } = roleRef;
    // Any other is refused for what it is.
    if (kind !== 'Role' && kind !== 'ClusterRole') return;
    const resource = kind === 'Role' ? 'roles' : 'clusterroles';
    if (may('bind', request, { group, resource, name })) return;
    const role = access.role(roleRef, request.namespace);
    if (role === undefined) throw notFound({ group, plural: resource }, name);
    const missing = await lacks(request, role.rules);
    if (missing !== undefined) throw refusal(request, missing);
  };

  return async request => {
    const { operation, descriptor, object, old, user } = request;
    if (descriptor.group !== rbacGroup || operation === 'delete' || object === undefined) return;
    const free = user.groups.includes(mastersGroup) || onlyOwnersChange(object, old);
    if (!free && descriptor.plural.endsWith('bindings'))
      await checkBinding(request, object as AnyBinding);
    else if (!free) await checkRole(request, object);
  };
}

/** A long comparison lets other clients work in between. */
async function inTurns(
  user: UserInfo,
  search: Generator<undefined, Uncovered>,
): Promise<Uncovered> {
  for (;;) {
    const { done, value } = search.next();
    if (done === true) return value;
    const turn = nextTurn(`user ${user.name}`);
    if (turn !== undefined) await turn;
  }
}

/** What the garbage collector writes gives nobody anything. */
function onlyOwnersChange(object: KubeObject, old: KubeObject | undefined): boolean {
  if (old === undefined) return false;
  const { ownerReferences, finalizers } = old.metadata;
  const metadata = { ...object.metadata, ownerReferences, finalizers };
  return isDeepStrictEqual(plain({ ...object, metadata }), plain(old));
}

const plain = (object: KubeObject): unknown => JSON.parse(JSON.stringify(object)) as unknown;

const refusal = ({ descriptor, name }: AdmissionRequest, detail: string): StatusError =>
  forbidden(descriptor, name, detail);

/** What a message names of very many that are missing. */
const maxMissingParts = 1000;
const maxMissingRules = 100;

function grantText(user: UserInfo, { parts, complete }: Uncovered, problem: string): string {
  const texts = [...new Set(compact(parts).map(ruleText))].toSorted();
  const shown = texts.slice(0, maxMissingRules);
  if (!complete || shown.length < texts.length) shown.push('... and more');
  const text = `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${shown.join('\n')}`;
  return problem === '' ? text : `${text}; resolution errors: [${problem}]`;
}

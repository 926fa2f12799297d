import { isDeepStrictEqual } from 'node:util';
import type { TokenRequest } from '../../api/authentication.k8s.io/v1/reviews.ts';
import type { Node } from '../../api/core/v1/node.ts';
import { objectsOf } from '../../api/core/v1/pod/pod-references.ts';
import { isMirrorPod, mirrorAnnotation, type Pod } from '../../api/core/v1/pod.ts';
import { goQuote } from '../../machinery/go-quote.ts';
import { shorten } from '../../machinery/shorten.ts';
import { forbidden } from '../../machinery/status.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import { nodeNameOf } from '../authz/node/node-identity.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import type { AdmissionHook, AdmissionRequest } from './admission.ts';
import { forbiddenNodeLabels } from './node-labels.ts';

export interface NodeRestrictionOptions {
  readonly pods: ObjectStore<Pod>;
  readonly nodes: ObjectStore<Node>;
  readonly authorize: Authorizer;
}

/** A reason to refuse, in Kubernetes' words; undefined where there is none. */
type Check = (node: string, request: AdmissionRequest) => Promise<string | undefined>;

/** A node writes to itself, to the pods that are bound to it, and to nothing else (plugin/admission/noderestriction). */
export function nodeRestriction({ pods, nodes, authorize }: NodeRestrictionOptions): AdmissionHook {
  const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
    ['pods', (node, request) => checkPod(node, request, nodes)],
    ['nodes', (node, request) => Promise.resolve(checkNode(node, request))],
    ['serviceaccounts', (node, request) => checkToken(node, request, { pods, authorize })],
    ['leases', (node, request) => Promise.resolve(checkLease(node, request))],
  ]);
  return async request => {
    const node = nodeNameOf(request.user);
    if (node === undefined) return;
    const { descriptor, name } = request;
    const reason =
      node === ''
        ? `could not determine node from user ${JSON.stringify(request.user.name)}`
        : await checks.get(descriptor.plural)?.(node, request);
    if (reason !== undefined) throw forbidden(descriptor, name, reason);
  };
}

async function checkPod(
  node: string,
  request: AdmissionRequest,
  nodes: ObjectStore<Node>,
): Promise<string | undefined> {
  const { operation, subresource } = request;
  const object = request.object as Pod | undefined;
  const old = request.old as Pod | undefined;
  const bound = old?.spec.nodeName === node;
  const quoted = JSON.stringify(node);
  switch (`${operation} ${subresource}`.trim()) {
    case 'create':
      return object === undefined ? undefined : checkMirrorPod(node, object, nodes);
    case 'delete':
      return bound
        ? undefined
        : `node ${quoted} can only delete pods with spec.nodeName set to itself`;
    case 'delete eviction':
      return bound
        ? undefined
        : `node ${node} can only evict pods with spec.nodeName set to itself`;
    case 'update status':
      if (!bound)
        return `node ${quoted} can only update pod status for pods with spec.nodeName set to itself`;
      return isDeepStrictEqual({ ...object?.metadata.labels }, { ...old?.metadata.labels })
        ? undefined
        : `node ${quoted} cannot update labels through pod status`;
    default:
      return subresource === ''
        ? `unexpected operation "${operation.toUpperCase()}", node ${quoted} can only create and delete mirror pods`
        : `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`;
  }
}

/** What a node may show of its own: a pod that names nothing of others'. */
async function checkMirrorPod(
  node: string,
  pod: Pod,
  nodes: ObjectStore<Node>,
): Promise<string | undefined> {
  const quoted = JSON.stringify(node);
  const may = (what: string): string => `node ${quoted} can only create ${what}`;
  if (!isMirrorPod(pod))
    return `pod does not have "${mirrorAnnotation}" annotation, ${may('mirror pods')}`;
  if (pod.spec.nodeName !== node) return may('pods with spec.nodeName set to itself');
  const [owner, ...more] = pod.metadata.ownerReferences ?? [];
  if (more.length > 0) return may('pods with a single owner reference set to itself');
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return may('pods with an owner reference set to itself');
  if (owner.controller !== true) return may('pods with a controller owner reference set to itself');
  if (owner.blockOwnerDeletion === true)
    return `node ${quoted} must not set blockOwnerDeletion on an owner reference`;
  const { uid = '' } = (await nodes.get('', node)).object().metadata;
  if (owner.uid !== uid) return `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`;
  const named = new Set(objectsOf(pod).map(each => each.kind));
  const reference = pod.spec.serviceAccountName
    ? 'a service account'
    : named.has('Secret')
      ? 'secrets'
      : named.has('ConfigMap')
        ? 'configmaps'
        : undefined;
  return reference === undefined
    ? undefined
    : `node ${quoted} can not create pods that reference ${reference}`;
}

function checkNode(node: string, request: AdmissionRequest): string | undefined {
  const { operation, name } = request;
  const quoted = JSON.stringify(node);
  if (name !== node) return `node ${quoted} is not allowed to modify node ${JSON.stringify(name)}`;
  const object: Node | undefined = request.object;
  const old: Node | undefined = request.old;
  const labels = forbiddenNodeLabels(object?.metadata.labels, old?.metadata.labels).join(', ');
  if (operation === 'create') {
    return labels === ''
      ? undefined
      : `node ${quoted} is not allowed to set the following labels: ${labels}`;
  }
  if (operation === 'delete') return undefined;
  const ownersOf = (of: Node | undefined) => of?.metadata.ownerReferences ?? [];
  if (!isDeepStrictEqual(ownersOf(object), ownersOf(old)))
    return `node ${quoted} is not allowed to modify ownerReferences`;
  if (!isDeepStrictEqual(object?.spec?.taints ?? [], old?.spec?.taints ?? []))
    return `node ${quoted} is not allowed to modify taints`;
  return labels === '' ? undefined : `is not allowed to modify labels: ${labels}`;
}

function checkLease(node: string, { namespace, name }: AdmissionRequest): string | undefined {
  if (namespace !== 'kube-node-lease')
    return 'can only access leases in the "kube-node-lease" system namespace';
  return name === node
    ? undefined
    : 'can only access node lease with the same name as the requesting node';
}

async function checkToken(
  node: string,
  request: AdmissionRequest,
  { pods, authorize }: Pick<NodeRestrictionOptions, 'pods' | 'authorize'>,
): Promise<string | undefined> {
  const { operation, subresource, namespace } = request;
  if (operation !== 'create' || subresource !== 'token') return undefined;
  const asked = (request.object as TokenRequest | undefined)?.spec;
  const bound = asked?.boundObjectRef;
  if (bound?.apiVersion !== 'v1' || bound.kind !== 'Pod' || !bound.name)
    return 'node requested token not bound to a pod';
  if (!bound.uid) return 'node requested token with a pod binding without a uid';
  const pod = (await pods.get(namespace, bound.name)).object();
  if (pod.metadata.uid !== bound.uid)
    return `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  return pod.spec.nodeName === node
    ? checkAudience(request, { audiences: asked?.audiences ?? [], pod }, authorize)
    : 'node requested token bound to a pod scheduled on a different node';
}

/** A node gets tokens for those only whom its pods' volumes name (ServiceAccountNodeAudienceRestriction). */
function checkAudience(
  { user, namespace, name }: AdmissionRequest,
  { audiences, pod }: { readonly audiences: readonly string[]; readonly pod: Pod },
  authorize: Authorizer,
): string | undefined {
  const [audience = '', ...more] = audiences;
  if (more.length > 0) return 'node may only request 0 or 1 audiences';
  const isNamed = (pod.spec.volumes ?? []).some(({ projected }) =>
    (projected?.sources ?? []).some(
      ({ serviceAccountToken: token }) =>
        token !== undefined && (token.audience ?? '') === audience,
    ),
  );
  if (isNamed) return undefined;
  const { decision } = authorize({
    user,
    isResource: true,
    verb: 'request-serviceaccounts-token-audience',
    path: '',
    group: '',
    resource: audience,
    subresource: '',
    namespace,
    name,
  });
  return decision === 'allow'
    ? undefined
    : `audience ${goQuote(shorten(audience))} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`;
}

/** What is sent along, so that a request that gets through has an effect. */

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** A resource whose objects the fixture holds, or something that is only asked or done. */
export type BodyName =
  | 'secrets'
  | 'configmaps'
  | 'pods'
  | 'serviceaccounts'
  | 'roles'
  | 'rolebindings'
  | 'leases'
  | 'events'
  | 'namespaces'
  | 'nodes'
  | 'clusterroles'
  | 'clusterrolebindings'
  | 'pods/eviction'
  | 'pods/binding'
  | 'serviceaccounts/token'
  | 'subjectaccessreviews'
  | 'selfsubjectaccessreviews'
  | 'localsubjectaccessreviews'
  | 'tokenreviews';

export interface Body {
  readonly contentType: string;
  readonly text: string;
}

const json = 'application/json';
const resourceAttributes = { verb: 'get', resource: 'pods', namespace: 'team' };

const actions: ReadonlyMap<BodyName, object> = new Map<BodyName, object>([
  [
    'pods/eviction',
    { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'web' }, deleteOptions: {} },
  ],
  [
    'pods/binding',
    {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'pending' },
      target: { apiVersion: 'v1', kind: 'Node', name: 'node-b' },
    },
  ],
  [
    'serviceaccounts/token',
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: [] } },
  ],
  [
    'subjectaccessreviews',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: 'somebody', resourceAttributes },
    },
  ],
  [
    'localsubjectaccessreviews',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'LocalSubjectAccessReview',
      metadata: { namespace: 'team' },
      spec: { user: 'somebody', resourceAttributes },
    },
  ],
  [
    'selfsubjectaccessreviews',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    },
  ],
  [
    'tokenreviews',
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'x' } },
  ],
]);

const mergePatch: Body = {
  contentType: 'application/merge-patch+json',
  text: JSON.stringify({ metadata: { annotations: { touched: 'yes' } } }),
};
const none: Body = { contentType: json, text: '' };

/** The fixture's objects, as they are stored, by resource, namespace and name. */
export type FindObject = (
  resource: BodyName,
  namespace: string | undefined,
  name: string | undefined,
) => KubernetesObject | undefined;

let serial = 0;

/** What `method` would write to `target`; the target is only searched for names, not interpreted. */
export function bodyOf(
  method: string,
  { target, body }: { readonly target: string; readonly body: BodyName },
  find: FindObject,
): Body {
  const action = actions.get(body);
  const verb = method.toLowerCase();
  if (verb.startsWith('delete')) return none;
  // Actions are sent with every other method: a GET that carries one must not do it.
  if (action !== undefined) return { contentType: json, text: JSON.stringify(action) };
  if (verb === 'patch') return mergePatch;
  const segments = target.replace(/\?.*/, '').split('/');
  const namespace = segments.includes('other') ? 'other' : 'team';
  const named = segments.toReversed().find(each => find(body, namespace, each) !== undefined);
  const object = find(body, namespace, verb === 'post' ? undefined : named);
  if (object === undefined) return none;
  if (verb === 'post' || named === undefined) {
    serial += 1;
    const name = verb === 'put' ? (segments.at(-1) ?? '') : `made-${serial}`;
    return { contentType: json, text: JSON.stringify(renamed(object, name)) };
  }
  const annotations = { ...object.metadata.annotations, touched: 'yes' };
  const touched = { ...object, metadata: { ...object.metadata, annotations } };
  // What finalizes a namespace is a namespace without finalizers.
  const text = segments.includes('finalize') ? { ...touched, spec: { finalizers: [] } } : touched;
  return { contentType: json, text: JSON.stringify(text) };
}

/** The namespace is the target's. */
const renamed = (
  { metadata: _metadata, status: _status, ...rest }: KubernetesObject,
  name: string,
) => ({
  ...rest,
  metadata: { name },
});

import { compileRole, questionOf } from '../rbac/compiled-role.ts';
import { noOpinion, type Attributes, type Authorizer, type Verdict } from '../authorizer.ts';
import { nodeNameOf } from './node-identity.ts';
import { nodeRules } from './node-rules.ts';
import type { PodGraph, PodRelation } from './pod-graph.ts';

const allowed: Verdict = { decision: 'allow', reason: '' };
const no = (reason: string): Verdict => ({ decision: 'no-opinion', reason });

/** Allows a node its own object, its pods, and what those use. */
export function nodeAuthorizer(graph: PodGraph): Authorizer {
  const others = compileRole(nodeRules);
  const rules = resourceRules(graph);
  return attributes => {
    const node = nodeNameOf(attributes.user);
    if (node === undefined) return noOpinion;
    if (node === '') return no(`unknown node for user ${JSON.stringify(attributes.user.name)}`);
    const { isResource, group, resource } = attributes;
    const rule = isResource
      ? rules.get(group === '' ? resource : `${resource}.${group}`)
      : undefined;
    if (rule !== undefined) return rule(node, attributes);
    return others.allows(questionOf(attributes)) ? allowed : noOpinion;
  };
}

type ResourceRule = (node: string, attributes: Attributes) => Verdict;

const reads = new Set(['get', 'list', 'watch']);
const leaseVerbs = new Set(['get', 'create', 'update', 'patch', 'delete']);
const leaseNamespace = 'kube-node-lease';

/** Resources that are not the same to all nodes. */
function resourceRules(graph: PodGraph): ReadonlyMap<string, ResourceRule> {
  const related = (node: string, kind: PodRelation, attributes: Attributes): Verdict => {
    const { namespace, name } = attributes;
    if (name === '') return no('No Object name found');
    return graph.isRelated(node, kind, namespace, name)
      ? allowed
      : no(`no relationship found between node '${node}' and this object`);
  };

  const readUsed =
    (kind: PodRelation): ResourceRule =>
    (node, attributes) => {
      const { verb, subresource, namespace } = attributes;
      if (!reads.has(verb)) return no('can only read resources of this type');
      if (subresource !== '') return no('cannot read subresource');
      if (namespace === '') return no('can only read namespaced object of this type');
      return related(node, kind, attributes);
    };

  const readPod: ResourceRule = (node, attributes) => {
    const { verb, name, fieldSelector = [] } = attributes;
    const ofItsOwn = fieldSelector.some(
      each => each.field === 'spec.nodeName' && each.equals && each.value === node,
    );
    if (verb !== 'get' && ofItsOwn) return allowed;
    if (verb !== 'get' && name === '') {
      return no('can only list/watch pods with spec.nodeName field selector');
    }
    return related(node, 'Pod', attributes);
  };

  const createToken: ResourceRule = (node, attributes) => {
    const { verb, subresource, name } = attributes;
    if (verb !== 'create' || name === '')
      return no('can only create tokens for individual service accounts');
    if (subresource !== 'token') return no('can only create token subresource of serviceaccount');
    return related(node, 'ServiceAccount', attributes);
  };

  // Writes to nodes, pods and leases are restricted further by the admission plug-in NodeRestriction.
  const usePods: ResourceRule = (node, attributes) => {
    const { verb, subresource } = attributes;
    if (subresource === '' && reads.has(verb)) return readPod(node, attributes);
    return allowedWrite(podWrites, attributes);
  };

  const useNodes: ResourceRule = (node, attributes) => {
    const { verb, subresource, name } = attributes;
    if (subresource !== '' || !reads.has(verb)) return allowedWrite(nodeWrites, attributes);
    if (name === node) return allowed;
    return no(
      name === ''
        ? `node '${node}' cannot read all nodes, only its own Node object`
        : `node '${node}' cannot read '${name}', only its own Node object`,
    );
  };

  const useLease: ResourceRule = (node, { verb, namespace, name }) => {
    if (!leaseVerbs.has(verb))
      return no('can only get, create, update, patch, or delete a node lease');
    if (namespace !== leaseNamespace)
      return no(`can only access leases in the "${leaseNamespace}" system namespace`);
    // The name of an object to be created is not known yet.
    return verb === 'create' || name === node
      ? allowed
      : no('can only access node lease with the same name as the requesting node');
  };

  return new Map([
    ['secrets', readUsed('Secret')],
    ['configmaps', readUsed('ConfigMap')],
    ['serviceaccounts', createToken],
    ['pods', usePods],
    ['nodes', useNodes],
    ['leases.coordination.k8s.io', useLease],
  ]);
}

const podWrites = new Set(['create', 'delete', 'update status', 'patch status', 'create eviction']);
const nodeWrites = new Set(['create', 'update', 'patch', 'update status', 'patch status']);

const allowedWrite = (writes: ReadonlySet<string>, { verb, subresource }: Attributes): Verdict =>
  writes.has(subresource === '' ? verb : `${verb} ${subresource}`) ? allowed : noOpinion;

/**
 * What a node's certificate gives in the fixture: the node authorizer (plugin/pkg/auth/authorizer/node)
 * together with the admission plugin NodeRestriction (plugin/pkg/admission/noderestriction), for the
 * bodies that this test sends: pods that are no mirror pods, and token requests bound to no pod.
 */
import type { Operation } from './reading.ts';

/** What runs on each node, and what it uses. */
const used: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['node-a', new Set(['pods/team/web', 'secrets/team/allowed', 'configmaps/team/settings'])],
  ['node-b', new Set(['pods/other/web', 'secrets/other/plain'])],
]);

const reads = new Set(['get', 'list', 'watch']);
const changes = new Set(['update', 'patch']);
const asks = new Set(['tokenreviews', 'subjectaccessreviews', 'localsubjectaccessreviews']);

export function nodeMay(node: string, operation: Operation): boolean {
  const { verb, group, resource, subresource, namespace, name } = operation;
  const uses = used.get(node)?.has(`${resource}/${namespace}/${name}`) === true;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  switch (`${what}.${group}`) {
    case 'secrets.':
    case 'configmaps.':
      return reads.has(verb) && uses;
    case 'pods.':
      if (verb === 'list' || verb === 'watch') return ofNode(operation, node) || uses;
      return (verb === 'get' || verb === 'delete') && uses;
    case 'pods/status.':
      return changes.has(verb) && uses;
    case 'pods/eviction.':
      return verb === 'create' && uses;
    case 'nodes.':
      return (reads.has(verb) || changes.has(verb)) && name === node;
    case 'nodes/status.':
      return changes.has(verb) && name === node;
    case 'leases.coordination.k8s.io':
      return (
        (verb === 'get' || verb === 'delete' || changes.has(verb)) &&
        namespace === 'kube-node-lease' &&
        name === node
      );
    case 'events.':
      return verb === 'create' || changes.has(verb);
    case 'services.':
      return reads.has(verb);
    default:
      return verb === 'create' && asks.has(resource) && subresource === '';
  }
}

const ofNode = ({ fieldSelector }: Operation, node: string): boolean =>
  fieldSelector.split(',').some(each => /^spec\.nodeName==?(.*)$/.exec(each)?.[1] === node);

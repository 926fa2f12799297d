import { kindSchema } from '../../../machinery/meta.ts';
import type { Column, ResourceDescriptor } from '../../../machinery/resource.ts';
import {
  boolean,
  int32,
  int64,
  list,
  map,
  object,
  optional,
  quantity,
  required,
  string,
  time,
  type Infer,
} from '../../../machinery/schema.ts';
import { ageColumn, allVerbs, nameColumn } from './columns.ts';

const core = 'io.k8s.api.core.v1';

const TaintSchema = object(`${core}.Taint`, 'What keeps pods off a node.', {
  key: required(1, string(), 'Its key.'),
  value: optional(2, string(), 'Its value.'),
  effect: required(3, string(), 'NoSchedule, PreferNoSchedule or NoExecute.'),
  timeAdded: optional(4, time(), 'Since when.'),
});

const NodeSystemInfoSchema = object(`${core}.NodeSystemInfo`, 'What a node is made of.', {
  machineID: required(1, string(), 'Id of the machine.'),
  systemUUID: required(2, string(), 'UUID of the machine.'),
  bootID: required(3, string(), 'Id of this boot.'),
  kernelVersion: required(4, string(), 'The kernel.'),
  osImage: required(5, string(), 'The operating system.'),
  containerRuntimeVersion: required(6, string(), 'The runtime.'),
  kubeletVersion: required(7, string(), 'The agent.'),
  kubeProxyVersion: optional(8, string(), 'Deprecated.'),
  operatingSystem: required(9, string(), 'linux.'),
  architecture: required(10, string(), 'Such as amd64.'),
});

export const NodeSchema = kindSchema(`${core}.Node`, 'Node is a machine that runs pods.', {
  spec: optional(
    2,
    object(`${core}.NodeSpec`, 'What is wanted of a node.', {
      podCIDR: optional(1, string(), 'Addresses of its pods.'),
      providerID: optional(3, string(), 'Its id with a provider.'),
      unschedulable: optional(4, boolean(), 'Whether no new pods come to it.'),
      taints: optional(5, list(TaintSchema), 'What keeps pods off it.', { listType: 'atomic' }),
      podCIDRs: optional(7, list(string()), 'Addresses of its pods.', {
        strategy: 'merge',
        listType: 'set',
      }),
    }),
    'What is wanted of it.',
  ),
  status: optional(
    3,
    object(`${core}.NodeStatus`, 'How a node is.', {
      capacity: optional(1, map(quantity()), 'What it has.'),
      allocatable: optional(2, map(quantity()), 'What pods may use.'),
      phase: optional(3, string(), 'Deprecated.'),
      conditions: optional(
        4,
        list(
          object(`${core}.NodeCondition`, 'One aspect of a node.', {
            type: required(1, string(), 'Which aspect.'),
            status: required(2, string(), 'True, False or Unknown.'),
            lastHeartbeatTime: optional(3, time(), 'When it was last told.'),
            lastTransitionTime: optional(4, time(), 'When it last changed.'),
            reason: optional(5, string(), 'Why, in a word.'),
            message: optional(6, string(), 'Why, in a sentence.'),
          }),
        ),
        'How it is, in parts.',
        { strategy: 'merge', mergeKey: 'type', listType: 'map', listMapKeys: ['type'] },
      ),
      addresses: optional(
        5,
        list(
          object(`${core}.NodeAddress`, 'An address of a node.', {
            type: required(1, string(), 'InternalIP, Hostname and so on.'),
            address: required(2, string(), 'The address.'),
          }),
        ),
        'Its addresses.',
        { strategy: 'merge', mergeKey: 'type', listType: 'map', listMapKeys: ['type'] },
      ),
      daemonEndpoints: optional(
        6,
        object(`${core}.NodeDaemonEndpoints`, 'Where its daemons listen.', {
          kubeletEndpoint: optional(
            1,
            object(`${core}.DaemonEndpoint`, 'Where a daemon listens.', {
              Port: required(1, int32(), 'The port.'),
            }),
            'Where the agent listens.',
          ),
        }),
        'Where its daemons listen.',
      ),
      nodeInfo: optional(7, NodeSystemInfoSchema, 'What it is made of.'),
      images: optional(
        8,
        list(
          object(`${core}.ContainerImage`, 'An image on a node.', {
            names: optional(1, list(string()), 'Its names.', { listType: 'atomic' }),
            sizeBytes: optional(2, int64(), 'Its size.'),
          }),
        ),
        'Images that it has.',
        { listType: 'atomic' },
      ),
    }),
    'How it is.',
  ),
});
export type Node = Infer<typeof NodeSchema>;

function statusText(node: Node): string {
  const ready = (node.status?.conditions ?? []).find(each => each.type === 'Ready');
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec?.unschedulable === true ? `${text},SchedulingDisabled` : text;
}

const rolePrefix = 'node-role.kubernetes.io/';
const rolesOf = (node: Node): string =>
  Object.keys(node.metadata.labels ?? {})
    .filter(label => label.startsWith(rolePrefix))
    .map(label => label.slice(rolePrefix.length))
    .toSorted()
    .join(',') || '<none>';

const addressOf = (node: Node, type: string): string =>
  (node.status?.addresses ?? []).find(each => each.type === type)?.address ?? '<none>';

const column = (
  name: string,
  description: string,
  cell: Column<Node>['cell'],
  priority = 0,
): Column<Node> => ({
  name,
  type: 'string',
  description,
  cell,
  priority,
});

export const nodeResource: ResourceDescriptor<Node> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  namespaced: false,
  stored: true,
  verbs: allVerbs,
  schema: NodeSchema,
  subresources: {
    status: {
      kind: 'Node',
      verbs: ['get', 'patch', 'update'],
      update: {
        prepareForUpdate(next, old) {
          next.spec = old.spec;
        },
        validateUpdate: () => [],
      },
    },
  },
  update: {
    prepareForUpdate(next, old) {
      next.status = old.status;
    },
    validateUpdate: () => [],
  },
  selectableFields: node => ({ 'spec.unschedulable': String(node.spec?.unschedulable ?? false) }),
  columns: [
    nameColumn,
    column('Status', 'Whether it is ready', statusText),
    column('Roles', 'Its roles', rolesOf),
    ageColumn,
    column('Version', 'Its agent', node => node.status?.nodeInfo?.kubeletVersion ?? ''),
    column('Internal-IP', 'Its address', node => addressOf(node, 'InternalIP'), 1),
    column('External-IP', 'Its outer address', node => addressOf(node, 'ExternalIP'), 1),
    column(
      'OS-Image',
      'Its operating system',
      node => node.status?.nodeInfo?.osImage ?? '<unknown>',
      1,
    ),
    column(
      'Kernel-Version',
      'Its kernel',
      node => node.status?.nodeInfo?.kernelVersion ?? '<unknown>',
      1,
    ),
    column(
      'Container-Runtime',
      'Its runtime',
      node => node.status?.nodeInfo?.containerRuntimeVersion ?? '<unknown>',
      1,
    ),
  ],
};

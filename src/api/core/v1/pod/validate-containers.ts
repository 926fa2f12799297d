import { memberOf } from '../../../../machinery/member.ts';
import {
  duplicate,
  forbidden,
  invalid,
  notSupported,
  requiredField,
  validateEach,
  type FieldError,
  type FieldPath,
} from '../../../../machinery/field-error.ts';
import { parseQuantity } from '../../../../machinery/quantity.ts';
import { dns1123Label, portName, portNumber } from '../../../../machinery/validation/names.ts';
import type { Container, LifecycleHandler, Probe } from './container-schema.ts';
import { validateEnv, validateEnvFrom } from './validate-env.ts';
import { validateMounts } from './validate-mounts.ts';

export interface ContainerRules {
  /** Names of the volumes that may be mounted: those in which nothing is wrong. */
  readonly volumes: ReadonlySet<string>;
  /** Names already taken by other containers of the pod; added to. */
  readonly names: Set<string>;
  readonly init: boolean;
}

export function validateContainer(
  container: Container,
  at: FieldPath,
  rules: ContainerRules,
): FieldError[] {
  const errors: FieldError[] = [];
  const { name, image } = container;
  if (!name) errors.push(requiredField(at.child('name')));
  else errors.push(...dns1123Label(name).map(text => invalid(at.child('name'), name, text)));
  if (name && rules.names.has(name)) errors.push(duplicate(at.child('name'), name));
  rules.names.add(name);
  if (!image) errors.push(requiredField(at.child('image')));
  else if (image !== image.trim())
    errors.push(invalid(at.child('image'), image, 'must not have leading or trailing whitespace'));
  errors.push(
    ...validatePorts(container, at.child('ports')),
    ...validateEnv(container.env ?? [], at.child('env')),
    ...validateEnvFrom(container.envFrom ?? [], at.child('envFrom')),
    ...validateMounts(container, rules.volumes, at.child('volumeMounts')),
    ...validatePullPolicy(container.imagePullPolicy, at.child('imagePullPolicy')),
    ...validateResources(container, at.child('resources')),
    ...validateProbes(container, at, rules.init),
  );
  const { privileged, allowPrivilegeEscalation } = container.securityContext ?? {};
  if (privileged === true && allowPrivilegeEscalation === false) {
    errors.push(
      invalid(
        at.child('securityContext'),
        container.securityContext,
        'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      ),
    );
  }
  return errors;
}

const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const validatePullPolicy = (policy: string | undefined, at: FieldPath): FieldError[] =>
  policy === undefined || pullPolicies.includes(policy)
    ? []
    : [notSupported(at, policy, pullPolicies)];

function validatePorts({ ports = [] }: Container, at: FieldPath): FieldError[] {
  const names = new Set<string>();
  return validateEach(ports, (port, i) => {
    const here = at.index(i);
    const errors: FieldError[] = [];
    if (port.name) {
      errors.push(...portName(port.name).map(text => invalid(here.child('name'), port.name, text)));
      if (names.has(port.name)) errors.push(duplicate(here.child('name'), port.name));
      names.add(port.name);
    }
    if (!port.containerPort) errors.push(requiredField(here.child('containerPort')));
    else
      errors.push(
        ...portNumber(port.containerPort).map(text =>
          invalid(here.child('containerPort'), port.containerPort, text),
        ),
      );
    if (port.hostPort)
      errors.push(
        ...portNumber(port.hostPort).map(text =>
          invalid(here.child('hostPort'), port.hostPort, text),
        ),
      );
    if (!['TCP', 'UDP', 'SCTP'].includes(port.protocol ?? 'TCP')) {
      errors.push(notSupported(here.child('protocol'), port.protocol, ['SCTP', 'TCP', 'UDP']));
    }
    return errors;
  });
}

function validateResources({ resources = {} }: Container, at: FieldPath): FieldError[] {
  const { limits = {}, requests = {} } = resources;
  const negative = (list: 'limits' | 'requests'): FieldError[] =>
    validateEach(Object.entries(resources[list] ?? {}), ([name, value]) =>
      String(value).trimStart().startsWith('-') && parseQuantity(value) < 0n
        ? [invalid(at.child(list).key(name), String(value), 'must be greater than or equal to 0')]
        : [],
    );
  return [
    ...negative('limits'),
    ...negative('requests'),
    ...validateEach(Object.entries(requests), ([name, request]) => {
      const limit = memberOf(limits, name);
      if (
        limit === undefined ||
        limit === request ||
        parseQuantity(request) <= parseQuantity(limit)
      )
        return [];
      return [
        invalid(
          at.child('requests'),
          String(request),
          `must be less than or equal to ${name} limit of ${limit}`,
        ),
      ];
    }),
  ];
}

function validateProbes(container: Container, at: FieldPath, init: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const oneShot = init && container.restartPolicy !== 'Always';
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[name];
    if (probe === undefined) continue;
    const here = at.child(name);
    if (oneShot)
      errors.push(
        forbidden(here, 'may not be set for init containers without restartPolicy=Always'),
      );
    else errors.push(...validateProbe(probe, here));
    if (name !== 'readinessProbe' && (probe.successThreshold ?? 1) !== 1) {
      errors.push(invalid(here.child('successThreshold'), probe.successThreshold, 'must be 1'));
    }
  }
  for (const name of ['postStart', 'preStop'] as const) {
    const handler = container.lifecycle?.[name];
    if (handler === undefined) continue;
    const here = at.child('lifecycle', name);
    if (oneShot)
      errors.push(
        forbidden(
          at.child('lifecycle'),
          'may not be set for init containers without restartPolicy=Always',
        ),
      );
    else errors.push(...validateHandler(handler, here));
  }
  return errors;
}

function validateProbe(probe: Probe, at: FieldPath): FieldError[] {
  const errors = validateHandler(probe, at);
  for (const name of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const) {
    const value = probe[name] ?? 0;
    if (value < 0)
      errors.push(invalid(at.child(name), value, 'must be greater than or equal to 0'));
  }
  return errors;
}

function validateHandler(handler: Probe | LifecycleHandler, at: FieldPath): FieldError[] {
  const { exec, httpGet, tcpSocket } = handler;
  const other = 'grpc' in handler ? handler.grpc : 'sleep' in handler ? handler.sleep : undefined;
  const given = [exec, httpGet, tcpSocket, other].filter(each => each !== undefined).length;
  if (given === 0) return [requiredField(at, 'must specify a handler type')];
  if (given > 1) return [forbidden(at, 'may not specify more than 1 handler type')];
  if (exec !== undefined && (exec.command ?? []).length === 0)
    return [requiredField(at.child('exec', 'command'))];
  const target = httpGet ?? tcpSocket;
  if (target === undefined) return [];
  const here = at.child(httpGet === undefined ? 'tcpSocket' : 'httpGet', 'port');
  if (target.port === undefined) return [requiredField(here)];
  const wrong = typeof target.port === 'number' ? portNumber(target.port) : portName(target.port);
  return wrong.map(text => invalid(here, target.port, text));
}

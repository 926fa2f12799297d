import type { Kubectl } from './kubectl-cli.ts';

export interface PodOptions {
  readonly namespace?: string;
  readonly spec?: object;
  readonly container?: object;
  readonly metadata?: object;
}

/** A pod of busybox that waits to be asked. */
export const busyboxPod = (
  name: string,
  { namespace = 'default', spec = {}, container = {}, metadata = {} }: PodOptions = {},
): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, ...metadata },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [busyboxContainer('main', container)],
    ...spec,
  },
});

export const busyboxContainer = (name: string, more: object = {}): object => ({
  name,
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  command: ['sleep', '3600'],
  ...more,
});

/** A pod whose one container mounts secret `secretName` at /etc/foo. */
export const secretVolumePod = (
  name: string,
  secretName: string,
  { namespace = 'default', source = {}, mount = {} } = {},
): object =>
  busyboxPod(name, {
    namespace,
    spec: { volumes: [{ name: 'foo', secret: { secretName, ...source } }] },
    container: { volumeMounts: [{ name: 'foo', mountPath: '/etc/foo', ...mount }] },
  });

export const secret = (
  name: string,
  stringData: Record<string, string>,
  { namespace = 'default', type = 'Opaque' } = {},
): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  type,
  stringData,
});

export const waitReady = (kubectl: Kubectl, pod: string, namespace = 'default'): Promise<string> =>
  kubectl(`wait pod/${pod} -n ${namespace} --for=condition=Ready --timeout=60s`);

/** The events of one object, as `REASON: message` lines. */
export const eventsOf = (kubectl: Kubectl, pod: string, namespace = 'default'): Promise<string> =>
  kubectl(`get events -n ${namespace} --field-selector involvedObject.name=${pod} -o`, [
    'jsonpath={range .items[*]}{.type} {.reason}: {.message}{"\\n"}{end}',
  ]);

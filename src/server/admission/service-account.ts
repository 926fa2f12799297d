import { objectsOf } from '../../api/core/v1/pod/pod-references.ts';
import { isMirrorPod, type Container, type Pod } from '../../api/core/v1/pod.ts';
import type { ServiceAccount } from '../../api/core/v1/service-account.ts';
import { randomSuffix } from '../../machinery/names.ts';
import { absent, forbidden } from '../../machinery/status.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import type { AdmissionHook } from './admission.ts';
import { unmountableSecret } from './mountable-secrets.ts';

const pods = { group: '', plural: 'pods' };
const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
/** How long the default account of a young namespace is waited for. */
const defaultAccountWaitMs = 2000;

/** Gives each new pod its account, that account's pull secrets, and its token (plugin/admission/serviceaccount). */
export function serviceAccountAdmission(accounts: ObjectStore<ServiceAccount>): AdmissionHook {
  return async ({ operation, descriptor, subresource, namespace, object, name }) => {
    if (operation !== 'create' || descriptor.plural !== 'pods' || subresource !== '') return;
    if (object === undefined) return;
    if (isMirrorPod(object)) return mustNameNothing(object as Pod);
    const { spec } = object as Pod;
    const isDefault = !spec.serviceAccountName;
    spec.serviceAccountName = spec.serviceAccount = spec.serviceAccountName || 'default';
    const accountName = spec.serviceAccountName;
    const account = await find(
      accounts,
      namespace,
      accountName,
      isDefault || accountName === 'default',
    );
    if (account === undefined) {
      throw forbidden(
        pods,
        name,
        `error looking up service account ${namespace}/${accountName}: serviceaccount "${accountName}" not found`,
      );
    }
    if ((spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) {
      spec.imagePullSecrets = structuredClone(account.imagePullSecrets);
    }
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true)
      mountToken(spec);
    const refusal = unmountableSecret(object as Pod, account);
    if (refusal !== undefined) throw forbidden(pods, name, refusal);
  };
}

/** What a node shows of its own has no account, and thereby none of an account's secrets. */
function mustNameNothing(pod: Pod): void {
  const refuse = (what: string) => forbidden(pods, pod.metadata.name ?? '', what);
  if (pod.spec.serviceAccountName) throw refuse('a mirror pod may not reference service accounts');
  if (objectsOf(pod).some(each => each.kind === 'Secret'))
    throw refuse('a mirror pod may not reference secrets');
  const tokens = (pod.spec.volumes ?? []).flatMap(each => each.projected?.sources ?? []);
  if (tokens.some(each => each.serviceAccountToken !== undefined))
    throw refuse('a mirror pod may not use service account token volume projections');
}

async function find(
  accounts: ObjectStore<ServiceAccount>,
  namespace: string,
  name: string,
  wait: boolean,
): Promise<ServiceAccount | undefined> {
  const read = async (): Promise<ServiceAccount | undefined> =>
    (await accounts.get(namespace, name).catch(absent))?.object();
  const account = await read();
  if (account !== undefined || !wait) return account;
  const stop = AbortSignal.timeout(defaultAccountWaitMs);
  return new Promise((resolve, reject) => {
    stop.addEventListener('abort', () => resolve(read()), { once: true });
    accounts
      .watch(
        { namespace, name },
        {
          onEvent: (type, object) => {
            if (type !== 'DELETED') resolve(object.object());
          },
          onBookmark: () => undefined,
          onError: reject,
        },
        stop,
      )
      .catch(reject);
  });
}

function mountToken(spec: Pod['spec']): void {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const without = containers.filter(container => !has(container));
  if (without.length === 0) return;
  const volume = `kube-api-access-${randomSuffix()}`;
  for (const container of without) {
    container.volumeMounts = [
      ...(container.volumeMounts ?? []),
      { name: volume, mountPath, readOnly: true },
    ];
  }
  spec.volumes = [...(spec.volumes ?? []), tokenVolume(volume)];
}

const has = (container: Container): boolean =>
  (container.volumeMounts ?? []).some(mount => mount.mountPath === mountPath);

const tokenVolume = (name: string): NonNullable<Pod['spec']['volumes']>[number] => ({
  name,
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [
            { path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } },
          ],
        },
      },
    ],
    defaultMode: 420,
  },
});

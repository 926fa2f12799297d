import type { Container, Pod } from '../../api/core/v1/pod.ts';
import type { ServiceAccount } from '../../api/core/v1/service-account.ts';
import { isGoTrue } from '../../machinery/go-bool.ts';

const annotation = 'kubernetes.io/enforce-mountable-secrets';

/**
 * Why a pod may not name the secrets that it names, where its account says that only its own may be
 * named. Sources of projected volumes are not looked at, as kube-apiserver does not.
 */
export function unmountableSecret({ spec }: Pod, account: ServiceAccount): string | undefined {
  if (!isGoTrue(account.metadata.annotations?.[annotation] ?? '')) return undefined;
  const name = account.metadata.name ?? '';
  const namesOf = (of: readonly { readonly name?: string | undefined }[] = []) =>
    new Set(of.map(each => each.name ?? ''));
  const mountable = namesOf(account.secrets);
  const pullable = namesOf(account.imagePullSecrets);
  const refused = (secret: string, words: (quoted: string) => string): string[] =>
    mountable.has(secret)
      ? []
      : [
          `${words(`secret.secretName="${secret}"`)} is not allowed because service account ${name} does not reference that secret`,
        ];

  const refusedIn = (kind: string, { name: container, env = [], envFrom = [] }: Container) => [
    ...env.flatMap(({ name: variable, valueFrom }) =>
      valueFrom?.secretKeyRef === undefined
        ? []
        : refused(
            valueFrom.secretKeyRef.name ?? '',
            secret => `${kind} ${container} with envVar ${variable} referencing ${secret}`,
          ),
    ),
    ...envFrom.flatMap(({ secretRef }) =>
      secretRef === undefined
        ? []
        : refused(
            secretRef.name ?? '',
            secret => `${kind} ${container} with envFrom referencing ${secret}`,
          ),
    ),
  ];
  const [first] = [
    ...(spec.volumes ?? []).flatMap(({ secret }) =>
      secret === undefined ? [] : refused(secret.secretName ?? '', words => `volume with ${words}`),
    ),
    ...(spec.initContainers ?? []).flatMap(each => refusedIn('init container', each)),
    ...spec.containers.flatMap(each => refusedIn('container', each)),
    ...(spec.imagePullSecrets ?? []).flatMap(({ name: secret = '' }, i) =>
      pullable.has(secret)
        ? []
        : [
            `imagePullSecrets[${i}].name="${secret}" is not allowed because service account ${name} does not reference that imagePullSecret`,
          ],
    ),
  ];
  return first;
}

import type { Pod } from './pod-schema.ts';

type Profile = NonNullable<
  NonNullable<Pod['spec']['containers'][number]['securityContext']>['appArmorProfile']
>;

export const appArmorAnnotationPrefix = 'container.apparmor.security.beta.kubernetes.io/';

/** The profile that an annotation names; undefined if the value is invalid. */
export function appArmorProfileOf(annotation: string): Profile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  const name = /^localhost\/(.+)$/.exec(annotation)?.[1];
  return name === undefined ? undefined : { type: 'Localhost', localhostProfile: name };
}

/** Copies AppArmor annotations, which older clients set, to the field that is enforced. In place. */
export function applyAppArmorAnnotations({ metadata, spec }: Pod): void {
  const annotations = new Map(Object.entries(metadata.annotations ?? {}));
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const annotation = annotations.get(`${appArmorAnnotationPrefix}${container.name}`) ?? '';
    const profile = appArmorProfileOf(annotation);
    if (profile === undefined || container.securityContext?.appArmorProfile !== undefined) continue;
    container.securityContext = { ...container.securityContext, appArmorProfile: profile };
  }
}

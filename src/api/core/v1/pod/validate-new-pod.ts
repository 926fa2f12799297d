import { isDeepStrictEqual } from 'node:util';
import {
  forbidden,
  invalid,
  notSupported,
  path,
  requiredField,
  type FieldError,
  type FieldPath,
} from '../../../../machinery/field-error.ts';
import { goQuote } from '../../../../machinery/go-quote.ts';
import { appArmorAnnotationPrefix, appArmorProfileOf } from './app-armor-annotations.ts';
import { validateMirrorAnnotation } from './validate-annotations.ts';
import type { Pod, PodSpec } from './pod-schema.ts';

/**
 * Rules for the security settings of new pods. Pods stored by an older Keylet may break them, and their status
 * must still be writable. Settings that a node cannot enforce are refused: a pod must not run with less
 * protection than it asks for.
 */
export function validateNewPod(pod: Pod): FieldError[] {
  const { spec } = pod;
  const at = path('spec');
  return [
    ...(spec.hostUsers === false
      ? [
          invalid(
            at.child('hostUsers'),
            false,
            'user namespaces are not supported; omit the field or set it to true',
          ),
        ]
      : []),
    ...(spec.os === undefined || ['linux', 'windows'].includes(spec.os.name)
      ? []
      : [notSupported(at.child('os', 'name'), spec.os.name, ['linux', 'windows'])]),
    ...validateSecurityContext(spec, spec.securityContext, at.child('securityContext')),
    ...validateGroups(spec.securityContext, at.child('securityContext')),
    ...containersOf(spec).flatMap(({ container: { securityContext }, at: here }) => [
      ...validateSecurityContext(spec, securityContext, here.child('securityContext')),
      ...validateProcMount(securityContext?.procMount, here.child('securityContext', 'procMount')),
    ]),
    ...validateAppArmorAnnotations(pod),
    ...validateMirrorAnnotation(pod),
  ];
}

const containersOf = (spec: PodSpec) => {
  const at = path('spec');
  return (['initContainers', 'containers'] as const).flatMap(name =>
    (spec[name] ?? []).map((container, i) => ({ container, at: at.child(name).index(i) })),
  );
};

const procMounts = ['Default', 'Unmasked'];
const validateProcMount = (value: string | undefined, at: FieldPath): FieldError[] =>
  value === undefined || procMounts.includes(value) ? [] : [notSupported(at, value, procMounts)];

/** Runtimes keep only the low 32 bits of an ID: 2^32 would be root. */
const maxId = 2_147_483_647;
const validateId = (id: number | undefined, at: FieldPath): FieldError[] =>
  id === undefined || (id >= 0 && id <= maxId)
    ? []
    : [invalid(at, id, `must be between 0 and ${maxId}, inclusive`)];

function validateGroups(
  { fsGroup, supplementalGroups = [] }: NonNullable<PodSpec['securityContext']> = {},
  at: FieldPath,
): FieldError[] {
  return [
    ...validateId(fsGroup, at.child('fsGroup')),
    ...supplementalGroups.flatMap((id, i) =>
      validateId(id, at.child('supplementalGroups').index(i)),
    ),
  ];
}

type SharedContext = Pick<
  NonNullable<PodSpec['securityContext']>,
  'appArmorProfile' | 'runAsGroup' | 'runAsUser' | 'seccompProfile' | 'windowsOptions'
>;

function validateSecurityContext(
  { os }: PodSpec,
  { appArmorProfile, runAsGroup, runAsUser, seccompProfile, windowsOptions }: SharedContext = {},
  at: FieldPath,
): FieldError[] {
  return [
    ...validateId(runAsUser, at.child('runAsUser')),
    ...validateId(runAsGroup, at.child('runAsGroup')),
    ...(windowsOptions !== undefined && os?.name === 'linux'
      ? [forbidden(at.child('windowsOptions'), 'windows options cannot be set for a linux pod')]
      : []),
    ...(appArmorProfile === undefined
      ? []
      : validateAppArmorProfile(appArmorProfile, at.child('appArmorProfile'))),
    ...(seccompProfile === undefined
      ? []
      : validateSeccompProfile(seccompProfile, at.child('seccompProfile'))),
  ];
}

/** The node reads the file: it must not be led out of its folder of profiles. */
function validateSeccompProfile(
  { type, localhostProfile }: NonNullable<SharedContext['seccompProfile']>,
  at: FieldPath,
): FieldError[] {
  const file = at.child('localhostProfile');
  if (type === 'Localhost') {
    if (!localhostProfile)
      return [requiredField(file, 'must be set when seccomp type is Localhost')];
    return [
      ...(localhostProfile.startsWith('/')
        ? [invalid(file, localhostProfile, 'must be a relative path')]
        : []),
      ...(localhostProfile.split('/').includes('..')
        ? [invalid(file, localhostProfile, "must not contain '..'")]
        : []),
    ];
  }
  return [
    ...(profileTypes.includes(type) ? [] : [notSupported(at.child('type'), type, profileTypes)]),
    ...(localhostProfile === undefined
      ? []
      : [invalid(file, localhostProfile, 'can only be set when seccomp type is Localhost')]),
  ];
}

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];

function validateAppArmorProfile(
  { type, localhostProfile }: NonNullable<SharedContext['appArmorProfile']>,
  at: FieldPath,
): FieldError[] {
  const name = at.child('localhostProfile');
  if (type === 'Localhost') {
    if (localhostProfile === undefined)
      return [requiredField(name, 'must be set when AppArmor type is Localhost')];
    return localhostProfile.trim() === localhostProfile && localhostProfile !== ''
      ? []
      : [invalid(name, localhostProfile, 'must not be padded with whitespace')];
  }
  return [
    ...(profileTypes.includes(type) ? [] : [notSupported(at.child('type'), type, profileTypes)]),
    ...(localhostProfile === undefined
      ? []
      : [invalid(name, localhostProfile, 'can only be set when AppArmor type is Localhost')]),
  ];
}

function validateAppArmorAnnotations({ metadata, spec }: Pod): FieldError[] {
  const at = path('metadata.annotations');
  const annotated = Object.entries(metadata.annotations ?? {}).filter(
    ([key, value]) => key.startsWith(appArmorAnnotationPrefix) && value !== '',
  );
  if (annotated.length === 0) return [];
  const containers = new Map(
    // Of equal names the first counts.
    containersOf(spec)
      .toReversed()
      .map(({ container }) => [container.name, container]),
  );
  return annotated.flatMap(([key, value]) => {
    const name = key.slice(appArmorAnnotationPrefix.length);
    const container = containers.get(name);
    if (container === undefined) return [invalid(at.key(key), name, 'container not found')];
    const profile = appArmorProfileOf(value);
    if (profile === undefined)
      return [invalid(at.key(key), value, `invalid AppArmor profile name: ${goQuote(value)}`)];
    return isDeepStrictEqual({ ...container.securityContext?.appArmorProfile }, profile)
      ? []
      : [forbidden(at.key(key), 'apparmor type in annotation and field must match')];
  });
}

import { describe, expect, test } from 'vitest';
import { applyAppArmorAnnotations } from './app-armor-annotations.ts';
import type { Pod } from './pod-schema.ts';
import { validateNewPod } from './validate-new-pod.ts';

type SecurityContext = NonNullable<Pod['spec']['containers'][number]['securityContext']>;
const pod = (spec: Partial<Pod['spec']> = {}, annotations: Record<string, string> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', annotations },
  spec: { containers: [{ name: 'a' }], ...spec },
});
const container = (securityContext: SecurityContext): Partial<Pod['spec']> => ({
  containers: [{ name: 'a', securityContext }],
});
const errorsOf = (of: Pod): string[] =>
  validateNewPod(of).map(({ field, message }) => `${field}: ${message}`);
const appArmor = (profile: { type: string; localhostProfile?: string }): SecurityContext =>
  ({ appArmorProfile: profile }) as SecurityContext;
const annotation = 'container.apparmor.security.beta.kubernetes.io/a';

test.each<[string, Partial<Pod['spec']>, string[]]>([
  [
    'a user namespace',
    { hostUsers: false },
    [
      'spec.hostUsers: Invalid value: false: user namespaces are not supported; omit the field or set it to true',
    ],
  ],
  ["the node's user namespace", { hostUsers: true }, []],
  [
    'a seccomp profile of the whole node',
    container({ seccompProfile: { type: 'Localhost', localhostProfile: '/etc/shadow' } }),
    [
      'spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: "/etc/shadow": must be a relative path',
    ],
  ],
  [
    'a seccomp profile above those of the node',
    { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'a/../../b' } } },
    [
      `spec.securityContext.seccompProfile.localhostProfile: Invalid value: "a/../../b": must not contain '..'`,
    ],
  ],
  [
    'a seccomp profile without a file',
    container({ seccompProfile: { type: 'Localhost' } }),
    [
      'spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
    ],
  ],
  [
    'a seccomp profile of the node',
    container({ seccompProfile: { type: 'Localhost', localhostProfile: 'profiles/x.json' } }),
    [],
  ],
  [
    'an unknown operating system',
    { os: { name: 'plan9' } },
    ['spec.os.name: Unsupported value: "plan9": supported values: "linux", "windows"'],
  ],
  [
    'an unknown mount of /proc',
    container({ procMount: 'unmasked' }),
    [
      'spec.containers[0].securityContext.procMount: Unsupported value: "unmasked": supported values: "Default", "Unmasked"',
    ],
  ],
  [
    'a user whose low 32 bits are root',
    {
      ...container({ runAsUser: 2 ** 32, runAsGroup: -1 }),
      securityContext: { fsGroup: 2 ** 31, supplementalGroups: [0, 2 ** 31 - 1, 2 ** 40] },
    },
    [
      'spec.securityContext.fsGroup: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive',
      'spec.securityContext.supplementalGroups[2]: Invalid value: 1099511627776: must be between 0 and 2147483647, inclusive',
      'spec.containers[0].securityContext.runAsUser: Invalid value: 4294967296: must be between 0 and 2147483647, inclusive',
      'spec.containers[0].securityContext.runAsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ],
  ],
  ['a known mount of /proc', container({ procMount: 'Unmasked' }), []],
  [
    'Windows options on Linux',
    { os: { name: 'linux' }, ...container({ windowsOptions: { hostProcess: true } }) },
    [
      'spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
    ],
  ],
  [
    'an AppArmor profile without a name',
    { securityContext: { appArmorProfile: { type: 'Localhost' } } },
    [
      'spec.securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost',
    ],
  ],
  [
    'an AppArmor profile with a name it cannot have',
    container(appArmor({ type: 'RuntimeDefault', localhostProfile: 'x' })),
    [
      'spec.containers[0].securityContext.appArmorProfile.localhostProfile: Invalid value: "x": can only be set when AppArmor type is Localhost',
    ],
  ],
  [
    'an unknown AppArmor profile',
    container(appArmor({ type: 'Strict' })),
    [
      'spec.containers[0].securityContext.appArmorProfile.type: Unsupported value: "Strict": supported values: "Localhost", "RuntimeDefault", "Unconfined"',
    ],
  ],
  [
    'an AppArmor profile of the node',
    container(appArmor({ type: 'Localhost', localhostProfile: 'x' })),
    [],
  ],
])('%s', (_, spec, errors) => {
  expect(errorsOf(pod(spec))).toEqual(errors);
});

describe('an AppArmor annotation', () => {
  const applied = (value: string, spec: Partial<Pod['spec']> = {}) => {
    const made = pod(spec, { [annotation]: value });
    applyAppArmorAnnotations(made);
    return {
      profile: made.spec.containers[0]?.securityContext?.appArmorProfile,
      errors: errorsOf(made),
    };
  };

  test.each([
    ['unconfined', { type: 'Unconfined' }],
    ['runtime/default', { type: 'RuntimeDefault' }],
    ['localhost/mine', { type: 'Localhost', localhostProfile: 'mine' }],
  ])('%j becomes the field', (value, profile) => {
    expect(applied(value)).toEqual({ profile, errors: [] });
  });

  test('must name a valid profile and an existing container, and match the field', () => {
    expect(applied('mine').errors).toEqual([
      `metadata.annotations[${annotation}]: Invalid value: "mine": invalid AppArmor profile name: "mine"`,
    ]);
    expect(applied('runtime/default', { containers: [{ name: 'b' }] }).errors).toEqual([
      `metadata.annotations[${annotation}]: Invalid value: "a": container not found`,
    ]);
    expect(applied('runtime/default', container(appArmor({ type: 'Unconfined' })))).toEqual({
      profile: { type: 'Unconfined' },
      errors: [
        `metadata.annotations[${annotation}]: Forbidden: apparmor type in annotation and field must match`,
      ],
    });
  });
});

import { describe, expect, test } from 'vitest';
import type { Pod } from '../../../../api/core/v1/pod.ts';
import type { PodToCheck } from '../check.ts';
import { checks } from './index.ts';

type Spec = Partial<Pod['spec']>;
type SecurityContext = NonNullable<Pod['spec']['containers'][number]['securityContext']>;

const pod = (spec: Spec, annotations: Record<string, string> = {}): PodToCheck => ({
  metadata: { annotations },
  spec: { containers: [], ...spec },
});
const container = (name: string, securityContext?: SecurityContext) => ({
  name,
  ...(securityContext === undefined ? {} : { securityContext }),
});
const containers = (contexts: Record<string, SecurityContext | undefined>): Spec => ({
  containers: Object.entries(contexts).map(([name, each]) => container(name, each)),
});
/** The result of a check at a version: `reason (detail)`, `passes` or `not in force`. */
const says = (id: string, version: number, checked: PodToCheck): string => {
  const rules = checks
    .find(each => each.id === id)
    ?.versions.findLast(({ since }) => since <= version);
  if (rules === undefined) return 'not in force';
  const violation = rules.check(checked);
  return violation === undefined ? 'passes' : `${violation.reason} (${violation.detail})`;
};

interface Case {
  readonly id: string;
  readonly version?: number;
  readonly pod: PodToCheck;
  readonly says: string;
}
const windows: Spec = { os: { name: 'windows' } };
const inUserNamespace: Spec = { hostUsers: false };
const seccomp = (type: string): SecurityContext =>
  ({ seccompProfile: { type } }) as SecurityContext;
const appArmor = (type: string): SecurityContext =>
  ({ appArmorProfile: { type } }) as SecurityContext;
const sysctl = (...names: string[]): Spec => ({
  securityContext: { sysctls: names.map(name => ({ name, value: '1' })) },
});

const cases: readonly Case[] = [
  {
    id: 'allowPrivilegeEscalation',
    pod: pod(
      containers({
        a: undefined,
        b: {},
        c: { allowPrivilegeEscalation: true },
        d: { allowPrivilegeEscalation: false },
      }),
    ),
    says: 'allowPrivilegeEscalation != false (containers "a", "b", "c" must set securityContext.allowPrivilegeEscalation=false)',
  },
  {
    id: 'allowPrivilegeEscalation',
    pod: pod(containers({ a: { allowPrivilegeEscalation: false } })),
    says: 'passes',
  },
  {
    id: 'allowPrivilegeEscalation',
    pod: pod({ ...windows, ...containers({ a: {} }) }),
    says: 'passes',
  },
  {
    id: 'allowPrivilegeEscalation',
    version: 24,
    pod: pod({ ...windows, ...containers({ a: {} }) }),
    says: 'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
  },
  {
    id: 'allowPrivilegeEscalation',
    version: 7,
    pod: pod(containers({ a: {} })),
    says: 'not in force',
  },
  {
    id: 'appArmorProfile',
    pod: pod(
      {
        securityContext: { appArmorProfile: { type: 'Unconfined' } },
        ...containers({ a: appArmor('Unconfined'), b: appArmor('RuntimeDefault') }),
      },
      { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' },
    ),
    says: 'forbidden AppArmor profiles (pod and container "a" and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/a="unconfined"")',
  },
  {
    id: 'appArmorProfile',
    pod: pod(containers({ a: appArmor('Unconfined') })),
    says: 'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")',
  },
  {
    id: 'appArmorProfile',
    pod: pod(
      {
        securityContext: { appArmorProfile: { type: 'RuntimeDefault' } },
        ...containers({ a: appArmor('Localhost') }),
      },
      {
        'container.apparmor.security.beta.kubernetes.io/a': 'localhost/mine',
        'container.apparmor.security.beta.kubernetes.io/b': 'runtime/default',
        'container.apparmor.security.beta.kubernetes.io/c': '',
        other: 'unconfined',
      },
    ),
    says: 'passes',
  },
  {
    id: 'capabilities_baseline',
    pod: pod(
      containers({
        a: { capabilities: { add: ['FOO', 'BAR'] } },
        b: { capabilities: { add: ['BAR', 'BAZ'] } },
        c: { capabilities: { add: ['CHOWN', 'NET_BIND_SERVICE'], drop: ['ALL'] } },
      }),
    ),
    says: 'non-default capabilities (containers "a", "b" must not include "BAR", "BAZ", "FOO" in securityContext.capabilities.add)',
  },
  {
    id: 'capabilities_baseline',
    pod: pod(containers({ a: undefined, b: { capabilities: { add: ['SYS_CHROOT'] } } })),
    says: 'passes',
  },
  {
    id: 'capabilities_restricted',
    pod: pod(
      containers({
        a: { capabilities: { add: ['FOO', 'BAR'] } },
        b: undefined,
        c: { capabilities: { add: ['NET_BIND_SERVICE', 'CHOWN'], drop: ['ALL', 'FOO'] } },
      }),
    ),
    says: 'unrestricted capabilities (containers "a", "b" must set securityContext.capabilities.drop=["ALL"]; containers "a", "c" must not include "BAR", "CHOWN", "FOO" in securityContext.capabilities.add)',
  },
  {
    id: 'capabilities_restricted',
    pod: pod(containers({ a: { capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] } } })),
    says: 'passes',
  },
  {
    id: 'capabilities_restricted',
    pod: pod({ ...windows, ...containers({ a: {} }) }),
    says: 'passes',
  },
  {
    id: 'capabilities_restricted',
    version: 22,
    pod: pod({ ...windows, ...containers({ a: {} }) }),
    says: 'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"])',
  },
  {
    id: 'capabilities_restricted',
    version: 21,
    pod: pod(containers({ a: {} })),
    says: 'not in force',
  },
  {
    id: 'hostNamespaces',
    pod: pod({ hostIPC: true, hostPID: true, hostNetwork: true }),
    says: 'host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)',
  },
  {
    id: 'hostNamespaces',
    pod: pod({ hostIPC: false, hostPID: false, hostNetwork: false }),
    says: 'passes',
  },
  {
    id: 'hostPathVolumes',
    pod: pod({
      volumes: [
        { name: 'a', hostPath: { path: '/' } },
        { name: 'b', emptyDir: {} },
        { name: 'c', hostPath: { path: '/etc' } },
      ],
    }),
    says: 'hostPath volumes (volumes "a", "c")',
  },
  {
    id: 'hostPathVolumes',
    pod: pod({ volumes: [{ name: 'b', emptyDir: {} }] }),
    says: 'passes',
  },
  {
    id: 'hostPorts',
    pod: pod({
      initContainers: [{ name: 'i', ports: [{ containerPort: 1, hostPort: 20 }] }],
      containers: [
        { name: 'a', ports: [{ containerPort: 1 }, { containerPort: 2, hostPort: 0 }] },
        {
          name: 'b',
          ports: [
            { containerPort: 1, hostPort: 10 },
            { containerPort: 2, hostPort: 20 },
          ],
        },
      ],
    }),
    says: 'hostPort (containers "i", "b" use hostPorts 10, 20)',
  },
  {
    id: 'hostPorts',
    pod: pod({ containers: [{ name: 'b', ports: [{ containerPort: 1, hostPort: 80 }] }] }),
    says: 'hostPort (container "b" uses hostPort 80)',
  },
  {
    id: 'hostPorts',
    pod: pod({ containers: [{ name: 'a', ports: [{ containerPort: 80 }] }] }),
    says: 'passes',
  },
  {
    id: 'hostProbesAndHostLifecycle',
    pod: pod({
      containers: [
        { name: 'b', livenessProbe: { httpGet: { port: 80, host: '127.0.0.1' } } },
        { name: 'a', lifecycle: { preStop: { tcpSocket: { port: 80, host: '::1' } } } },
        { name: 'c', startupProbe: { tcpSocket: { port: 80, host: '' } } },
      ],
    }),
    says: 'probe or lifecycle host (containers "a", "b" use probe or lifecycle hosts "127.0.0.1", "::1")',
  },
  {
    id: 'hostProbesAndHostLifecycle',
    pod: pod({ containers: [{ name: 'a', readinessProbe: { httpGet: { port: 80, host: 'x' } } }] }),
    says: 'probe or lifecycle host (container "a" uses probe or lifecycle host "x")',
  },
  {
    id: 'hostProbesAndHostLifecycle',
    pod: pod({
      containers: [
        { name: 'a', lifecycle: { postStart: { httpGet: { port: 80 } } } },
        { name: 'b', readinessProbe: { exec: { command: ['true'] } } },
      ],
    }),
    says: 'passes',
  },
  {
    id: 'hostProbesAndHostLifecycle',
    version: 33,
    pod: pod({ containers: [{ name: 'a', readinessProbe: { httpGet: { port: 80, host: 'x' } } }] }),
    says: 'not in force',
  },
  {
    id: 'privileged',
    pod: pod({
      initContainers: [container('i', { privileged: true })],
      ...containers({ a: undefined, b: { privileged: false }, c: { privileged: true } }),
      ephemeralContainers: [container('e', { privileged: true })],
    }),
    says: 'privileged (containers "i", "c", "e" must not set securityContext.privileged=true)',
  },
  { id: 'privileged', pod: pod(containers({ a: { privileged: false } })), says: 'passes' },
  ...['procMount', 'procMount_restricted'].map(id => ({
    id,
    pod: pod(
      containers({
        a: { procMount: 'Default' },
        b: { procMount: 'Unmasked' },
        c: { procMount: 'other' },
      }),
    ),
    says: 'procMount (containers "b", "c" must not set securityContext.procMount to "Unmasked", "other")',
  })),
  ...['procMount', 'procMount_restricted'].map(id => ({
    id,
    pod: pod(containers({ a: undefined, b: { procMount: 'Default' } })),
    says: 'passes',
  })),
  {
    id: 'procMount',
    pod: pod({ ...inUserNamespace, ...containers({ a: { procMount: 'Unmasked' } }) }),
    says: 'passes',
  },
  {
    id: 'procMount',
    version: 34,
    pod: pod({ ...inUserNamespace, ...containers({ a: { procMount: 'Unmasked' } }) }),
    says: 'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
  },
  {
    id: 'procMount_restricted',
    pod: pod({ ...inUserNamespace, ...containers({ a: { procMount: 'Unmasked' } }) }),
    says: 'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
  },
  {
    id: 'procMount_restricted',
    version: 34,
    pod: pod(containers({ a: { procMount: 'Unmasked' } })),
    says: 'not in force',
  },
  {
    id: 'restrictedVolumes',
    pod: pod({
      volumes: [
        { name: 'a', hostPath: { path: '/' } },
        { name: 'b', nfs: { server: 's', path: '/' } },
        { name: 'c' },
        { name: 'd', secret: {} },
      ],
    }),
    says: 'restricted volume types (volumes "a", "b", "c" use restricted volume types "hostPath", "nfs", "unknown")',
  },
  {
    id: 'restrictedVolumes',
    pod: pod({ volumes: [{ name: 'b', nfs: { server: 's', path: '/' } }] }),
    says: 'restricted volume types (volume "b" uses restricted volume type "nfs")',
  },
  {
    id: 'restrictedVolumes',
    pod: pod({
      volumes: [
        { name: 'a', configMap: {} },
        { name: 'b', csi: { driver: 'd' } },
        { name: 'c', downwardAPI: {} },
        { name: 'd', emptyDir: {} },
        { name: 'e', persistentVolumeClaim: { claimName: 'c' } },
        { name: 'f', projected: {} },
        { name: 'g', secret: {} },
      ],
    }),
    says: 'passes',
  },
  {
    id: 'runAsNonRoot',
    pod: pod(containers({ a: undefined, b: {}, c: { runAsNonRoot: true } })),
    says: 'runAsNonRoot != true (pod or containers "a", "b" must set securityContext.runAsNonRoot=true)',
  },
  {
    id: 'runAsNonRoot',
    pod: pod({
      securityContext: { runAsNonRoot: false },
      ...containers({ a: { runAsNonRoot: false }, b: { runAsNonRoot: true } }),
    }),
    says: 'runAsNonRoot != true (pod and container "a" must not set securityContext.runAsNonRoot=false)',
  },
  {
    id: 'runAsNonRoot',
    pod: pod({
      securityContext: { runAsNonRoot: true },
      ...containers({ a: { runAsNonRoot: false }, b: {} }),
    }),
    says: 'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)',
  },
  {
    id: 'runAsNonRoot',
    pod: pod({ securityContext: { runAsNonRoot: true }, ...containers({ a: {} }) }),
    says: 'passes',
  },
  {
    id: 'runAsNonRoot',
    pod: pod({ ...inUserNamespace, ...containers({ a: {} }) }),
    says: 'passes',
  },
  {
    id: 'runAsNonRoot',
    version: 34,
    pod: pod({ ...inUserNamespace, ...containers({ a: {} }) }),
    says: 'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
  },
  {
    id: 'runAsUser',
    pod: pod({
      securityContext: { runAsUser: 0 },
      initContainers: [container('i', { runAsUser: 0 })],
      ...containers({ a: { runAsUser: 1 }, b: { runAsUser: 0 } }),
    }),
    says: 'runAsUser=0 (pod and containers "i", "b" must not set runAsUser=0)',
  },
  {
    id: 'runAsUser',
    pod: pod({ securityContext: { runAsUser: 1000 }, ...containers({ a: undefined }) }),
    says: 'passes',
  },
  {
    id: 'runAsUser',
    pod: pod({ ...inUserNamespace, ...containers({ a: { runAsUser: 0 } }) }),
    says: 'passes',
  },
  {
    id: 'runAsUser',
    version: 34,
    pod: pod({ ...inUserNamespace, ...containers({ a: { runAsUser: 0 } }) }),
    says: 'runAsUser=0 (container "a" must not set runAsUser=0)',
  },
  {
    id: 'runAsUser',
    version: 22,
    pod: pod(containers({ a: { runAsUser: 0 } })),
    says: 'not in force',
  },
  {
    id: 'seLinuxOptions',
    pod: pod({
      securityContext: { seLinuxOptions: { type: 'foo' } },
      ...containers({
        a: { seLinuxOptions: { type: 'bar', user: 'u' } },
        b: { seLinuxOptions: { role: 'r' } },
        c: { seLinuxOptions: { type: 'container_t', level: 's0' } },
      }),
    }),
    says: 'seLinuxOptions (pod and containers "a", "b" set forbidden securityContext.seLinuxOptions: types "bar", "foo"; user may not be set; role may not be set)',
  },
  {
    id: 'seLinuxOptions',
    pod: pod(containers({ a: { seLinuxOptions: { user: 'u' } } })),
    says: 'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: user may not be set)',
  },
  {
    id: 'seLinuxOptions',
    pod: pod(
      containers({
        a: { seLinuxOptions: { type: 'container_engine_t' } },
        b: { seLinuxOptions: { type: 'container_kvm_t' } },
      }),
    ),
    says: 'passes',
  },
  {
    id: 'seLinuxOptions',
    version: 30,
    pod: pod(containers({ a: { seLinuxOptions: { type: 'container_engine_t' } } })),
    says: 'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
  },
  {
    id: 'seccompProfile_baseline',
    pod: pod({
      securityContext: { seccompProfile: { type: 'Unconfined' } },
      ...containers({ a: seccomp('other'), b: seccomp('Localhost') }),
    }),
    says: 'seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined", "other")',
  },
  {
    id: 'seccompProfile_baseline',
    pod: pod(containers({ a: undefined, b: seccomp('RuntimeDefault') })),
    says: 'passes',
  },
  {
    id: 'seccompProfile_baseline',
    version: 18,
    pod: pod(containers({ a: seccomp('Unconfined'), b: undefined }), {
      'seccomp.security.alpha.kubernetes.io/pod': 'unconfined',
      'container.seccomp.security.alpha.kubernetes.io/a': 'localhost/x',
      'container.seccomp.security.alpha.kubernetes.io/b': 'unconfined',
      'container.seccomp.security.alpha.kubernetes.io/none': 'unconfined',
    }),
    says: 'seccompProfile (forbidden annotations container.seccomp.security.alpha.kubernetes.io/b="unconfined", seccomp.security.alpha.kubernetes.io/pod="unconfined")',
  },
  {
    id: 'seccompProfile_baseline',
    version: 18,
    pod: pod(containers({ a: undefined }), {
      'seccomp.security.alpha.kubernetes.io/pod': 'docker/default',
    }),
    says: 'passes',
  },
  {
    id: 'seccompProfile_restricted',
    pod: pod(containers({ a: undefined, b: seccomp('Localhost'), c: {} })),
    says: 'seccompProfile (pod or containers "a", "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  },
  {
    id: 'seccompProfile_restricted',
    pod: pod(containers({ a: seccomp('Unconfined'), b: undefined })),
    says: 'seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
  },
  {
    id: 'seccompProfile_restricted',
    pod: pod({
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      ...containers({ a: undefined }),
    }),
    says: 'passes',
  },
  {
    id: 'seccompProfile_restricted',
    pod: pod({ ...windows, ...containers({ a: {} }) }),
    says: 'passes',
  },
  {
    id: 'seccompProfile_restricted',
    version: 24,
    pod: pod({ ...windows, ...containers({ a: {} }) }),
    says: 'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  },
  {
    id: 'seccompProfile_restricted',
    version: 18,
    pod: pod(containers({ a: {} })),
    says: 'not in force',
  },
  {
    id: 'sysctls',
    pod: pod(sysctl('a', 'kernel.shm_rmid_forced', 'b', 'net.ipv4.tcp_wmem')),
    says: 'forbidden sysctls (a, b)',
  },
  ...[
    { name: 'net.ipv4.ip_local_reserved_ports', since: 27 },
    { name: 'net.ipv4.tcp_keepalive_time', since: 29 },
    { name: 'net.ipv4.tcp_fin_timeout', since: 29 },
    { name: 'net.ipv4.tcp_keepalive_intvl', since: 29 },
    { name: 'net.ipv4.tcp_keepalive_probes', since: 29 },
    { name: 'net.ipv4.tcp_rmem', since: 32 },
    { name: 'net.ipv4.tcp_wmem', since: 32 },
  ].flatMap(({ name, since }) => [
    {
      id: 'sysctls',
      version: since - 1,
      pod: pod(sysctl(name)),
      says: `forbidden sysctls (${name})`,
    },
    { id: 'sysctls', version: since, pod: pod(sysctl(name)), says: 'passes' },
  ]),
  {
    id: 'windowsHostProcess',
    pod: pod({
      securityContext: { windowsOptions: { hostProcess: true } },
      ...containers({
        a: { windowsOptions: { hostProcess: false } },
        b: { windowsOptions: { hostProcess: true } },
      }),
    }),
    says: 'hostProcess (pod and container "b" must not set securityContext.windowsOptions.hostProcess=true)',
  },
  {
    id: 'windowsHostProcess',
    pod: pod(containers({ a: { windowsOptions: {} } })),
    says: 'passes',
  },
];

test.each(cases.map(each => [each.id, each.version ?? 99, each] as const))(
  '%s of v1.%i',
  (id, version, each) => {
    expect(says(id, version, each.pod)).toBe(each.says);
  },
);

describe('the list of checks', () => {
  test('is sorted: baseline first, then by id, without duplicates', () => {
    const ids = (level: string) => checks.filter(each => each.level === level).map(({ id }) => id);
    expect(checks.map(({ id }) => id)).toEqual([
      ...ids('baseline').toSorted(),
      ...ids('restricted').toSorted(),
    ]);
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  });

  test('has a passing and a failing pod for each check', () => {
    for (const { id } of checks) {
      const said = cases.filter(each => each.id === id).map(each => each.says);
      expect(said, id).toContain('passes');
      expect(
        said.filter(each => each !== 'passes' && each !== 'not in force'),
        id,
      ).not.toEqual([]);
    }
  });
});

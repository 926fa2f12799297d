import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { startKeylet, type Keylet } from '../support/keylet.ts';
import type { Kubectl } from '../support/kubectl-cli.ts';
import { busyboxPod, waitReady } from '../support/pods.ts';
import { sharedKubectl } from '../support/shared.ts';
import { createUsers, type Users } from '../support/users.ts';

const admin = sharedKubectl();
const namespaces: string[] = [];
let users: Users;

beforeAll(async () => {
  users = await createUsers(admin);
  return async () => {
    await admin(`delete namespace ${namespaces.join(' ')}`);
    await users.close();
  };
});

/** A namespace with labels of Pod Security. */
async function namespace(name: string, labels: Record<string, string> = {}): Promise<string> {
  const unique = `podsec-${name}-${process.pid}`;
  await admin.apply({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: unique,
      labels: Object.fromEntries(
        Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]),
      ),
    },
  });
  namespaces.push(unique);
  return unique;
}
const label = (what: string): string => `pod-security.kubernetes.io/${what}`;

const restrictedPod = (name: string, namespace: string): object =>
  busyboxPod(name, {
    namespace,
    spec: {
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    },
    container: {
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  });
const rootOfTheNode = (name: string, namespace: string): object =>
  busyboxPod(name, {
    namespace,
    spec: { hostPID: true },
    container: { securityContext: { privileged: true } },
  });
const create = (who: Kubectl, object: object) =>
  who.try('create -f -', [], { input: JSON.stringify(object) });

describe('a namespace labelled restricted', () => {
  test('refuses a pod that would be root on the node, and lists every reason', async () => {
    const ns = await namespace('locked', { enforce: 'restricted' });
    const { code, stderr } = await create(admin, rootOfTheNode('root', ns));
    expect(code).toBe(1);
    expect(stderr).toBe(
      'Error from server (Forbidden): error when creating "STDIN": pods "root" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostPID=true), privileged (container "main" must not set securityContext.privileged=true), allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")\n',
    );
    const dryRun = await admin.try('create --dry-run=server -f -', [], {
      input: JSON.stringify(busyboxPod('plain', { namespace: ns })),
    });
    expect(dryRun.stderr).toContain('violates PodSecurity "restricted:latest"');
    expect(await admin(`get pods -n ${ns} -o name`)).toBe('');
  });

  test('runs a pod that meets the level, with its token and exec', async () => {
    const ns = await namespace('runs', { enforce: 'restricted' });
    await admin.apply(restrictedPod('good', ns));
    await waitReady(admin, 'good', ns);
    expect(
      await admin.sh('good', 'id -u; ls /var/run/secrets/kubernetes.io/serviceaccount', {
        namespace: ns,
      }),
    ).toBe('1000\nca.crt\nnamespace\ntoken\n');
    expect(await admin(`annotate pod good -n ${ns} a=b`)).toBe('pod/good annotated');
  });

  test('takes effect with the response to the label change', async () => {
    const ns = await namespace('at-once');
    for (let round = 1; round <= 10; round += 1) {
      await admin(`label namespace ${ns} --overwrite ${label('enforce')}=restricted`);
      expect((await create(admin, busyboxPod(`no-${round}`, { namespace: ns }))).code).toBe(1);
      await admin(`label namespace ${ns} --overwrite ${label('enforce')}=privileged`);
      expect(
        (
          await create(
            admin,
            busyboxPod(`yes-${round}`, { namespace: ns, spec: { nodeName: 'x' } }),
          )
        ).code,
      ).toBe(0);
    }
  });

  test('binds its own administrator, who cannot remove the label', async () => {
    const ns = await namespace('tenant', { enforce: 'baseline' });
    const tenant = await users.person('tenant', 'tenants');
    await admin(`create rolebinding tenant -n ${ns} --clusterrole=admin --user=tenant`);
    expect((await create(tenant, rootOfTheNode('root', ns))).stderr).toContain(
      'violates PodSecurity "baseline:latest": host namespaces (hostPID=true), privileged (',
    );
    const unlabel = await tenant.try(`label namespace ${ns} ${label('enforce')}-`);
    expect(unlabel.stderr).toContain('namespaces');
    expect(unlabel.code).toBe(1);
  });
});

describe('labels', () => {
  test('warn about pods that a level would not admit', async () => {
    const ns = await namespace('warns', { warn: 'baseline', audit: 'restricted' });
    const { code, stderr } = await create(admin, rootOfTheNode('root', ns));
    expect(code).toBe(0);
    expect(stderr).toBe(
      'Warning: would violate PodSecurity "baseline:latest": host namespaces (hostPID=true), privileged (container "main" must not set securityContext.privileged=true)\n',
    );
    const labelled = await admin.try(`label namespace ${ns} ${label('enforce')}=baseline`);
    expect(labelled.stderr).toBe(
      `Warning: existing pods in namespace "${ns}" violate the new PodSecurity enforce level "baseline:latest"\nWarning: root: host namespaces, privileged\n`,
    );
  });

  test('pin the rules of a version', async () => {
    const ns = await namespace('pinned', { enforce: 'baseline', 'enforce-version': 'v1.33' });
    const probing = (name: string): object =>
      busyboxPod(name, {
        namespace: ns,
        container: { readinessProbe: { httpGet: { port: 80, host: '127.0.0.1' } } },
      });
    expect((await create(admin, probing('old'))).code).toBe(0);
    await admin(`label namespace ${ns} --overwrite ${label('enforce-version')}=v1.34`);
    expect((await create(admin, probing('new'))).stderr).toContain(
      'violates PodSecurity "baseline:v1.34": probe or lifecycle host (container "main" uses probe or lifecycle host "127.0.0.1")',
    );
  });

  test('are refused when they are invalid', async () => {
    const ns = await namespace('labels');
    const { code, stderr } = await admin.try(
      `label namespace ${ns} ${label('enforce')}=strict ${label('warn-version')}=1.30`,
    );
    expect(code).toBe(1);
    expect(stderr).toBe(
      `The Namespace "${ns}" is invalid: \n* metadata.labels[${label('enforce')}]: Invalid value: "strict": must be one of privileged, baseline, restricted\n* metadata.labels[${label('warn-version')}]: Invalid value: "1.30": must be "latest" or "v1.x"\n`,
    );
  });
});

test('a pod never runs with less protection than it asks for', async () => {
  const ns = await namespace('unsupported', { enforce: 'restricted' });
  const spec = { hostUsers: false, securityContext: { runAsUser: 0 } };
  const { stderr } = await create(
    admin,
    busyboxPod('userns', {
      namespace: ns,
      spec,
      container: {
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        },
      },
    }),
  );
  expect(stderr).toBe(
    'The Pod "userns" is invalid: spec.hostUsers: Invalid value: false: user namespaces are not supported; omit the field or set it to true\n',
  );
  // Restricted requires less of Windows pods: one must not run here as if it were a Linux pod.
  const windows = {
    os: { name: 'windows' },
    securityContext: { runAsNonRoot: true },
  };
  await admin.apply(busyboxPod('windows', { namespace: ns, spec: windows }));
  await admin(`wait pod/windows -n ${ns} --for=jsonpath={.status.phase}=Failed --timeout=60s`);
  expect(
    await admin(`get pod windows -n ${ns} -o`, ['jsonpath={.status.reason}: {.status.message}']),
  ).toBe(
    "PodOSNotSupported: Pod was rejected: Failed to admit pod as the OS field doesn't match node OS",
  );
});

describe('with an admission configuration', () => {
  let folder: string;
  let keylet: Keylet;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'keylet-podsec-'));
    const file = path.join(folder, 'admission.json');
    await writeFile(
      file,
      JSON.stringify({
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: 'AdmissionConfiguration',
        plugins: [
          {
            name: 'PodSecurity',
            configuration: {
              apiVersion: 'pod-security.admission.config.k8s.io/v1',
              kind: 'PodSecurityConfiguration',
              defaults: { enforce: 'baseline', warn: 'restricted' },
              exemptions: { usernames: ['trusted'], namespaces: ['free'] },
            },
          },
        ],
      }),
    );
    keylet = await startKeylet({
      args: [
        '--admission-control-config-file',
        file,
        '--registry-hosts-dir',
        inject('registryHostsDir'),
      ],
    });
    return async () => {
      await keylet.stop();
      await rm(folder, { recursive: true });
    };
  });

  test('defaults apply to namespaces without labels, and exemptions are honoured', async () => {
    const { kubectl } = keylet;
    const refused = await create(kubectl, rootOfTheNode('root', 'default'));
    expect(refused.stderr).toContain('violates PodSecurity "baseline:latest"');
    const warned = await create(kubectl, busyboxPod('plain'));
    expect(warned.stderr).toContain('Warning: would violate PodSecurity "restricted:latest"');
    await waitReady(kubectl, 'plain');

    await kubectl('create clusterrolebinding trusted --clusterrole=cluster-admin --user=trusted');
    const asTrusted = await kubectl.try('create --as=trusted -f -', [], {
      input: JSON.stringify(rootOfTheNode('trusted', 'default')),
    });
    expect(asTrusted).toMatchObject({ code: 0, stderr: '' });

    const free = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'free' } };
    await kubectl.apply(free);
    expect(await create(kubectl, rootOfTheNode('root', 'free'))).toMatchObject({
      code: 0,
      stderr: '',
    });
    const labelled = await kubectl.try(`label namespace free ${label('enforce')}=restricted`);
    expect(labelled.stderr).toBe(
      'Warning: namespace "free" is exempt from Pod Security, and the policy (enforce=restricted:latest) will be ignored\n',
    );
  });
});

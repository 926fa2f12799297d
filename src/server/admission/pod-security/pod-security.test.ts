import { describe, expect, test } from 'vitest';
import { namespaceResource, type Namespace } from '../../../api/core/v1/namespace.ts';
import { podResource, type Pod } from '../../../api/core/v1/pod.ts';
import { secretResource } from '../../../api/core/v1/secret.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import { notFound } from '../../../machinery/status.ts';
import type { ObjectStore } from '../../registry/object-store.ts';
import { unkept } from '../../registry/unkept.ts';
import type { AdmissionRequest } from '../admission.ts';
import {
  defaultConfiguration,
  readConfiguration,
  type PodSecurityConfiguration,
} from './configuration.ts';
import { podSecurity, type PodSecurityOptions } from './pod-security.ts';

type Labels = Record<string, string>;
const labels = (of: Labels): Labels =>
  Object.fromEntries(
    Object.entries(of).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value]),
  );
const namespace = (of: Labels): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'ns', labels: labels(of) },
});
const pod = (spec: Partial<Pod['spec']> = {}, metadata: Partial<Pod['metadata']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', ...metadata },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const hostPid = pod({ hostPID: true });
const restrictedPod = pod({
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'c',
      image: 'i',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
});

const descriptors = {
  Pod: podResource,
  Namespace: namespaceResource,
  Secret: secretResource,
} as unknown as Readonly<Record<string, ResourceDescriptor>>;

interface World {
  readonly labels?: Labels;
  readonly pods?: readonly Pod[];
  readonly configuration?: PodSecurityConfiguration;
  readonly templateOf?: PodSecurityOptions['templateOf'];
}
type Asked = Partial<AdmissionRequest> & { readonly object: AdmissionRequest['object'] };

/** The refusal of a request, if any, and its warnings. */
async function judge(world: World, { object, old, ...more }: Asked) {
  const descriptor = descriptors[object?.kind ?? ''];
  if (descriptor === undefined) throw new Error(object?.kind);
  const warnings: string[] = [];
  const namespaces = {
    get: (_: string, name: string) =>
      name === 'ns'
        ? Promise.resolve(unkept(namespace(world.labels ?? {})))
        : Promise.reject(notFound({ group: '', plural: 'namespaces' }, name)),
  } as unknown as ObjectStore<Namespace>;
  const pods = {
    list: () =>
      Promise.resolve({
        items: (world.pods ?? []).map(each => unkept(each)),
        resourceVersion: 1,
        remainingItemCount: 0,
      }),
  };
  const admit = podSecurity({
    namespaces,
    pods,
    configuration: world.configuration ?? defaultConfiguration(),
    ...(world.templateOf === undefined ? {} : { templateOf: world.templateOf }),
  });
  const refusal = await admit({
    operation: old === undefined ? 'create' : 'update',
    descriptor,
    subresource: '',
    namespace: descriptor.namespaced ? 'ns' : '',
    name: object?.metadata.name ?? '',
    object,
    old,
    user: { name: 'jane', groups: [] },
    dryRun: false,
    warn: text => warnings.push(text),
    ...more,
  }).then(
    () => undefined,
    (error: unknown) => error as { code: number; message: string },
  );
  return { code: refusal?.code, message: refusal?.message, warnings };
}
const admitted = { code: undefined, message: undefined, warnings: [] };

describe('a pod', () => {
  test('is refused if it violates the enforced level, with every reason', async () => {
    expect(await judge({ labels: { enforce: 'restricted' } }, { object: hostPid })).toEqual({
      code: 403,
      message:
        'pods "p" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostPID=true), allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      warnings: [],
    });
    const { message } = await judge(
      { labels: { enforce: 'baseline', 'enforce-version': 'v1.25' } },
      { object: hostPid },
    );
    expect(message).toContain('violates PodSecurity "baseline:v1.25": host namespaces');
  });

  test('is admitted if it meets the level, or if nothing is enforced', async () => {
    expect(await judge({ labels: { enforce: 'restricted' } }, { object: restrictedPod })).toEqual(
      admitted,
    );
    expect(await judge({}, { object: hostPid })).toEqual(admitted);
    expect(await judge({ labels: { audit: 'restricted' } }, { object: hostPid })).toEqual(admitted);
  });

  test('causes a warning if it violates the warn level', async () => {
    expect(
      await judge({ labels: { enforce: 'baseline', warn: 'restricted' } }, { object: pod() }),
    ).toMatchObject({
      code: undefined,
      warnings: [
        expect.stringMatching(
          /^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(/,
        ) as string,
      ],
    });
  });

  test('is held to the default level if the namespace has no label', async () => {
    const configuration = defaultConfiguration('baseline');
    expect((await judge({ configuration }, { object: hostPid })).code).toBe(403);
    expect(
      await judge({ configuration, labels: { enforce: 'privileged' } }, { object: hostPid }),
    ).toEqual(admitted);
  });

  test('is held to the strictest level by an invalid label', async () => {
    const { message } = await judge({ labels: { enforce: 'strict' } }, { object: pod() });
    expect(message).toContain('violates PodSecurity "restricted:latest"');
  });

  test('is evaluated again when its images or containers change, and only then', async () => {
    const world = { labels: { enforce: 'baseline' } };
    const image = pod({ hostPID: true, containers: [{ name: 'c', image: 'other' }] });
    expect((await judge(world, { object: image, old: hostPid })).code).toBe(403);
    const label = pod({ hostPID: true }, { labels: { a: 'b' } });
    expect(await judge(world, { object: label, old: hostPid })).toEqual(admitted);
    const ephemeral = pod({ hostPID: true, ephemeralContainers: [{ name: 'e', image: 'i' }] });
    const asked = { object: ephemeral, old: hostPid, subresource: 'ephemeralcontainers' };
    expect((await judge(world, asked)).code).toBe(403);
    expect(await judge(world, { object: image, old: hostPid, subresource: 'status' })).toEqual(
      admitted,
    );
  });

  test('is not evaluated if its user, namespace or runtime class is exempt', async () => {
    const configurationOf = (exemptions: object) =>
      readConfiguration({
        apiVersion: 'pod-security.admission.config.k8s.io/v1',
        kind: 'PodSecurityConfiguration',
        defaults: { enforce: 'restricted', warn: 'restricted' },
        exemptions,
      });
    const world = (exemptions: object): World => ({ configuration: configurationOf(exemptions) });
    expect(await judge(world({ usernames: ['jane'] }), { object: hostPid })).toEqual(admitted);
    expect(await judge(world({ namespaces: ['ns'] }), { object: hostPid })).toEqual(admitted);
    const classy = pod({ hostPID: true, runtimeClassName: 'kata' });
    expect(await judge(world({ runtimeClasses: ['kata'] }), { object: classy })).toEqual(admitted);
    expect((await judge(world({ runtimeClasses: ['kata'] }), { object: hostPid })).code).toBe(403);
  });

  test('of a missing namespace is refused', async () => {
    expect(await judge({}, { object: hostPid, namespace: 'gone' })).toMatchObject({
      code: 500,
      message: 'Internal error occurred: failed to lookup namespace "gone"',
    });
  });
});

describe('a namespace', () => {
  test('must have valid labels', async () => {
    expect(await judge({}, { object: namespace({ enforce: 'strict' }) })).toEqual({
      code: 422,
      message:
        'Namespace "ns" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
      warnings: [],
    });
    expect(
      await judge({}, { object: namespace({ audit: 'baseline', 'audit-version': 'v1.5' }) }),
    ).toEqual(admitted);
  });

  test('may keep labels that were invalid before', async () => {
    const old = namespace({ enforce: 'strict' });
    const same = namespace({ enforce: 'strict' });
    same.metadata.annotations = { a: 'b' };
    expect(await judge({}, { object: same, old })).toEqual(admitted);
    expect((await judge({}, { object: namespace({ enforce: 'x' }), old })).code).toBe(422);
  });

  test('reports existing pods when its level tightens, grouped by reason', async () => {
    const pods = [
      pod({ hostPID: true }, { name: 'b' }),
      pod({ hostPID: true }, { name: 'a' }),
      pod({ hostPID: true }, { name: 'c' }),
      pod({ hostNetwork: true, volumes: [{ name: 'v', hostPath: { path: '/' } }] }, { name: 'd' }),
      restrictedPod,
    ];
    const world = { pods };
    const object = namespace({ enforce: 'baseline' });
    expect((await judge(world, { object, old: namespace({}) })).warnings).toEqual([
      'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 2 other pods): host namespaces',
      'd: host namespaces, hostPath volumes',
    ]);
    expect(await judge(world, { object, old: namespace({ enforce: 'restricted' }) })).toEqual(
      admitted,
    );
    expect(await judge(world, { object, old: namespace({ enforce: 'baseline' }) })).toEqual(
      admitted,
    );
    expect(
      await judge(world, { object: namespace({ warn: 'restricted' }), old: namespace({}) }),
    ).toEqual(admitted);
  });

  test('that is exempt warns that its labels have no effect', async () => {
    const configuration = readConfiguration({
      apiVersion: 'pod-security.admission.config.k8s.io/v1',
      kind: 'PodSecurityConfiguration',
      exemptions: { namespaces: ['ns'] },
    });
    const object = namespace({ enforce: 'baseline', warn: 'restricted', audit: 'privileged' });
    for (const old of [undefined, namespace({})]) {
      expect((await judge({ configuration, pods: [hostPid] }, { object, old })).warnings).toEqual([
        'namespace "ns" is exempt from Pod Security, and the policy (enforce=baseline:latest, warn=restricted:latest) will be ignored',
      ]);
    }
  });
});

test('an object with a pod template causes warnings and is never refused', async () => {
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'ns' } };
  const templateOf = () => ({ metadata: {}, spec: hostPid.spec });
  const world = { labels: { enforce: 'restricted', warn: 'baseline' } };
  expect(await judge({ ...world, templateOf }, { object })).toEqual({
    code: undefined,
    message: undefined,
    warnings: ['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)'],
  });
  expect(await judge(world, { object })).toEqual(admitted);
});

import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { mintCa, mintCertificate } from '../../src/server/pki/mint.ts';
import { eventually } from '../support/eventually.ts';
import { busyboxImage } from '../support/images/busybox.ts';
import { busyboxPod, eventsOf, waitReady } from '../support/pods.ts';
import { pullSecret } from '../support/pull-secret.ts';
import { startRegistry, type Registry } from '../support/registry.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();
const hostsDir = inject('registryHostsDir');
const right = { user: 'puller', password: 'the-right-password' };
let registry: Registry;
let namespace: string;

beforeAll(async () => {
  registry = await startRegistry({ credentials: right });
  await registry.push('team/app', '1', await busyboxImage('app'));
});
afterAll(() => registry.close());
beforeEach(async () => {
  namespace = await freshNamespace(kubectl, 'pull');
  return () => kubectl(`delete namespace ${namespace} --wait=false`);
});

const n = (line: string, more: readonly string[] = []): Promise<string> =>
  kubectl(`-n ${namespace} ${line}`, more);
const app = (): string => `${registry.address}/team/app:1`;
interface PullPod {
  readonly secrets?: readonly string[];
  readonly image?: string;
  readonly policy?: string;
}
const pod = (
  name: string,
  { secrets = [], image = app(), policy = 'Always' }: PullPod = {},
): Promise<string> =>
  kubectl.apply(
    busyboxPod(name, {
      namespace,
      spec: { imagePullSecrets: secrets.map(secret => ({ name: secret })) },
      container: { image, imagePullPolicy: policy },
    }),
  );
const secret = (name: string, password = right.password, at = registry.address): Promise<string> =>
  kubectl.apply(pullSecret(name, at, { user: right.user, password }, namespace));
const waiting = async (name: string): Promise<{ reason?: string; message?: string }> =>
  JSON.parse(
    (await n(`get pod ${name} -o`, ['jsonpath={.status.containerStatuses[0].state.waiting}'])) ||
      '{}',
  ) as { reason?: string; message?: string };
const events = (name: string): Promise<string> => eventsOf(kubectl, name, namespace);
/** How often something was told, as kubectl counts it. */
const times = async (name: string, reason: string, message: string): Promise<number> => {
  const { items } = JSON.parse(
    await n(`get events --field-selector involvedObject.name=${name} -o json`),
  ) as { items: { reason: string; message: string; count: number }[] };
  return items
    .filter(each => each.reason === reason && each.message.startsWith(message))
    .reduce((sum, { count }) => sum + count, 0);
};
const refused = (image: string): string =>
  `failed to pull and unpack image "${image}": failed to resolve reference "${image}": `;

describe('credentials', () => {
  test('a wrong password: events and states as of a kubelet; mended, the same pod starts', async () => {
    await secret('cred', 'wrong');
    await pod('p', { secrets: ['cred'] });
    const uid = await n('get pod p -o jsonpath={.metadata.uid}');
    await eventually(async () => {
      const { reason, message } = await waiting('p');
      expect(reason).toBe('ImagePullBackOff');
      expect(message).toContain(
        `Back-off pulling image "${app()}": ErrImagePull: ${refused(app())}`,
      );
      expect(message).toContain('401 Unauthorized');
    });
    expect(await n('get pod p --no-headers')).toMatch(/^p +0\/1 +ImagePullBackOff +0 /);
    const told = await events('p');
    expect(told).toContain(`Normal Pulling: Pulling image "${app()}"`);
    expect(told).toContain(`Warning Failed: Failed to pull image "${app()}": ${refused(app())}`);
    expect(told).toContain('Warning Failed: Error: ErrImagePull');
    expect(told).toContain(`Normal BackOff: Back-off pulling image "${app()}"`);
    expect(told).toContain('Warning Failed: Error: ImagePullBackOff');
    await secret('cred');
    await waitReady(kubectl, 'p', namespace);
    expect(await n('get pod p -o jsonpath={.metadata.uid}')).toBe(uid);
    expect(await events('p')).toMatch(
      /Normal Pulled: Successfully pulled image ".*" in \S+ \(\S+ including waiting\)\. Image size: \d+ bytes\./,
    );
  });

  test('secrets are tried one after another', async () => {
    await secret('a-wrong', 'wrong');
    await secret('b-other', right.password, 'other.example.com');
    await secret('c-right');
    await pod('p', { secrets: ['a-wrong', 'b-other', 'c-right'] });
    await waitReady(kubectl, 'p', namespace);
  });

  test('a secret that is missing is told once, however often the pull is tried', async () => {
    await secret('cred', 'wrong');
    await pod('p', { secrets: ['cred', 'gone', 'lost'] });
    const failed = `Failed to pull image "${app()}"`;
    await eventually(async () => expect(await times('p', 'Failed', failed)).toBe(1));
    await secret('cred', 'wrong again');
    await eventually(async () => expect(await times('p', 'Failed', failed)).toBe(2));
    const missing = (names: string): string =>
      `Unable to retrieve some image pull secrets (${names}); attempting to pull the image may not succeed.`;
    const reason = 'FailedToRetrieveImagePullSecret';
    expect(await times('p', reason, 'Unable')).toBe(1);
    expect(await times('p', reason, missing('gone, lost'))).toBe(1);
    await secret('gone');
    await waitReady(kubectl, 'p', namespace);
    await eventually(async () => expect(await times('p', reason, missing('lost'))).toBe(1));
  });

  test('a secret that cannot be read is named, and the pod starts when it is mended', async () => {
    const broken = Buffer.from('{"auths":{"x.io":{"auth":"aHVudGVyMg=="}}}').toString('base64');
    await kubectl.apply({
      ...pullSecret('cred', registry.address, right, namespace),
      data: { '.dockerconfigjson': broken },
    });
    await pod('p', { secrets: ['cred'] });
    await eventually(async () =>
      expect(await waiting('p')).toEqual({
        reason: 'ErrImagePull',
        message:
          'unable to parse the pull secret "cred": unable to parse auth field, must be formatted as base64(username:password)',
      }),
    );
    await secret('cred');
    await waitReady(kubectl, 'p', namespace);
  });

  test('another image that the pod is given is pulled though the first is backed off', async () => {
    await secret('cred');
    await pod('p', { secrets: ['cred'], image: `${registry.address}/team/app:none` });
    await eventually(async () => expect((await waiting('p')).reason).toBe('ImagePullBackOff'));
    expect((await waiting('p')).message).toContain('rpc error: code = NotFound desc = ');
    await n(`set image pod/p main=${app()}`);
    await waitReady(kubectl, 'p', namespace);
  });
});

describe('policies', () => {
  const asked = (what: string): number =>
    registry.requests().filter(each => each.startsWith(what)).length;
  const head = 'HEAD /v2/team/app/manifests/1 200';

  test('Always asks the registry though the image is here, IfNotPresent does not', async () => {
    await secret('cred');
    await pod('first', { secrets: ['cred'] });
    await waitReady(kubectl, 'first', namespace);
    const before = asked(head);
    await pod('lazy', { secrets: ['cred'], policy: 'IfNotPresent' });
    await waitReady(kubectl, 'lazy', namespace);
    expect(await events('lazy')).toContain(
      `Normal Pulled: Container image "${app()}" already present on machine and can be accessed by the pod`,
    );
    expect(asked(head)).toBe(before);
    await pod('always', { secrets: ['cred'] });
    await waitReady(kubectl, 'always', namespace);
    await eventually(() => asked(head) === before + 1);
    expect(await events('always')).toContain('Successfully pulled image');
  });

  test('Never starts nothing that is not here', async () => {
    const image = `${registry.address}/team/never:1`;
    await pod('p', { image, policy: 'Never' });
    const message = `Container image "${image}" is not present with pull policy of Never`;
    await eventually(async () =>
      expect(await waiting('p')).toEqual({ reason: 'ErrImageNeverPull', message }),
    );
    expect(await events('p')).toContain(`Warning ErrImageNeverPull: ${message}`);
    expect(await events('p')).toContain('Warning Failed: Error: ErrImageNeverPull');
  });

  test('without a tag it is latest, pulled always; a digest needs no tag, and is pulled once', async () => {
    const image = await busyboxImage('tags');
    await registry.push('team/tags', 'latest', image);
    await secret('cred');
    const digest = `${registry.address}/team/tags@${image.manifest.digest}`;
    for (const [name, of] of [
      ['latest', `${registry.address}/team/tags`],
      ['digest', digest],
      ['both', digest.replace('@', ':whatever@')],
    ] as const) {
      await kubectl.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace },
        spec: {
          terminationGracePeriodSeconds: 0,
          imagePullSecrets: [{ name: 'cred' }],
          containers: [{ name: 'main', image: of, command: ['sleep', '3600'] }],
        },
      });
      await waitReady(kubectl, name, namespace);
      expect(await n(`get pod ${name} -o jsonpath={.spec.containers[0].imagePullPolicy}`)).toBe(
        name === 'latest' ? 'Always' : 'IfNotPresent',
      );
    }
  });

  test('pods that come at once pull an image once', async () => {
    const image = await busyboxImage('at once');
    await registry.push('team/at-once', '1', image);
    await secret('cred');
    const names = ['a', 'b', 'c', 'd'];
    await kubectl.apply(
      ...names.map(name =>
        busyboxPod(name, {
          namespace,
          spec: { imagePullSecrets: [{ name: 'cred' }] },
          container: { image: `${registry.address}/team/at-once:1` },
        }),
      ),
    );
    for (const name of names) await waitReady(kubectl, name, namespace);
    for (const { digest } of image.blobs)
      expect(asked(`GET /v2/team/at-once/blobs/${digest} 200`)).toBe(1);
  });
});

describe('a registry over TLS, with a CA of its own', () => {
  const host = 'registry.test';
  const folder = path.join(hostsDir, host);
  let secure: Registry;
  let authority: { readonly cert: string };
  beforeAll(async () => {
    const ca = await mintCa('a CA of the test');
    const names = ['127.0.0.1', host];
    const tls = await mintCertificate(ca, { commonName: host, names, usage: 'server' });
    secure = await startRegistry({ credentials: right, tls: { ...tls, ca: ca.cert } });
    await secure.push('team/app', '1', await busyboxImage('secure'));
    authority = ca;
    await mkdir(folder);
  });
  afterAll(async () => {
    await secure.close();
    await rm(folder, { recursive: true, force: true });
  });
  const hostsToml = (more = ''): Promise<void> =>
    writeFile(
      path.join(folder, 'hosts.toml'),
      `server = "https://${host}"\n\n[host."https://${secure.address}"]\n  capabilities = ["pull", "resolve"]\n${more}`,
    );

  test('without the CA the error says so; with it, as the guide has it, the same pod starts', async () => {
    await hostsToml();
    await secret('cred', right.password, host);
    await pod('p', { secrets: ['cred'], image: `${host}/team/app:1` });
    await eventually(async () =>
      expect((await waiting('p')).message).toMatch(/x509: certificate signed by unknown authority/),
    );
    expect(await events('p')).toMatch(/Failed to pull image .* certificate signed by unknown/);
    await writeFile(path.join(folder, 'ca.crt'), authority.cert);
    await hostsToml('  ca = "ca.crt"\n');
    await waitReady(kubectl, 'p', namespace);
  });
});

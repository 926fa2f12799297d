import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  busyboxContainer,
  busyboxPod,
  eventsOf,
  secret,
  secretVolumePod,
  waitReady,
} from '../support/pods.ts';
import { example } from '../support/examples.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();

describe("the document's pods, as they are written", () => {
  beforeAll(async () => {
    await kubectl('create namespace myns');
    await kubectl('apply -n myns -f -', [], { input: await example('spec/secret.yaml') });
    return () => kubectl('delete namespace myns');
  });
  const start = async (file: string): Promise<void> => {
    await kubectl('apply -f -', [], { input: await example(file) });
    await waitReady(kubectl, 'mypod', 'myns');
  };
  const sh = (script: string): Promise<string> =>
    kubectl.sh('mypod', script, { namespace: 'myns' });
  afterEach(() => kubectl('delete pod mypod -n myns --ignore-not-found'));

  test('V1 a secret volume shows each key as a file with the decoded value', async () => {
    await start('spec/pod-volume.json');
    expect((await sh('ls /etc/foo/')).split('\n').filter(Boolean).toSorted()).toEqual([
      'password',
      'username',
    ]);
    expect(await sh('cat /etc/foo/username')).toBe('admin');
    expect(await sh('cat /etc/foo/password')).toBe('1f2d1e2e67df');
  });

  // Without it neither: today's Kubernetes never lets a container write there.
  test.each([
    ['with readOnly', 'spec/pod-volume.json'],
    ['without it', 'spec/pod-default-mode.json'],
  ])('V2 %s the container cannot write there', async (_, file) => {
    await start(file);
    await expect(sh('echo x > /etc/foo/username')).rejects.toThrow(/Read-only file system/);
    await expect(sh('echo x > /etc/foo/new')).rejects.toThrow(/Read-only file system/);
  });

  test('V3 items: username is under my-group/my-username, password is not projected', async () => {
    await start('spec/pod-items.json');
    expect(await sh('cat /etc/foo/my-group/my-username')).toBe('admin');
    expect(await sh('cd /etc/foo && find * -type f -o -type l')).toBe('my-group\n');
    await expect(sh('cat /etc/foo/username')).rejects.toThrow(/No such file/);
    await expect(sh('cat /etc/foo/password')).rejects.toThrow(/No such file/);
  });

  test('V4 defaultMode 256 gives every file 0400', async () => {
    await start('spec/pod-default-mode.json');
    expect(await sh('stat -L -c "%a %n" /etc/foo/*')).toBe(
      '400 /etc/foo/password\n400 /etc/foo/username\n',
    );
  });

  test('V5 mode 511 of an item gives 0777', async () => {
    await start('spec/pod-item-mode.json');
    expect(await sh('stat -L -c %a /etc/foo/my-group/my-username')).toBe('777\n');
  });

  test('V6 a mode is shown in decimal when it is read later', async () => {
    await start('spec/pod-default-mode.json');
    expect(
      await kubectl('get pod mypod -n myns -o jsonpath={.spec.volumes[0].secret.defaultMode}'),
    ).toBe('256');
  });
});

describe('what the text says of volumes', () => {
  let namespace: string;
  beforeEach(async () => {
    namespace = await freshNamespace(kubectl, 'spec-volumes');
    await kubectl.apply(
      secret('mysecret', { username: 'admin', password: '1f2d1e2e67df' }, { namespace }),
    );
    return () => kubectl(`delete namespace ${namespace} --wait=false`);
  });
  const sh = (pod: string, script: string, container?: string): Promise<string> =>
    kubectl.sh(pod, script, { namespace, ...(container === undefined ? {} : { container }) });

  test('V7 multiple pods can reference the same secret', async () => {
    await kubectl.apply(
      secretVolumePod('one', 'mysecret', { namespace }),
      secretVolumePod('two', 'mysecret', { namespace }),
    );
    for (const pod of ['one', 'two']) {
      await waitReady(kubectl, pod, namespace);
      expect(await sh(pod, 'cat /etc/foo/username')).toBe('admin');
    }
  });

  test('V8 containers of one pod each mount the one volume; one without the block sees nothing', async () => {
    const mount = { volumeMounts: [{ name: 'anything', mountPath: '/creds', readOnly: true }] };
    await kubectl.apply(
      busyboxPod('shared', {
        namespace,
        spec: {
          volumes: [{ name: 'anything', secret: { secretName: 'mysecret' } }],
          containers: [
            busyboxContainer('first', mount),
            busyboxContainer('second', mount),
            busyboxContainer('without'),
          ],
        },
      }),
    );
    await waitReady(kubectl, 'shared', namespace);
    expect(await sh('shared', 'cat /creds/password', 'first')).toBe('1f2d1e2e67df');
    expect(await sh('shared', 'cat /creds/password', 'second')).toBe('1f2d1e2e67df');
    await expect(sh('shared', 'ls /creds', 'without')).rejects.toThrow(/No such file/);
  });

  test('V9 many files in one secret, and many secrets in one pod', async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`file-${i}`, `v${i}`]));
    await kubectl.apply(
      secret('many', many, { namespace }),
      secret('other', { token: 'abc' }, { namespace }),
      busyboxPod('collector', {
        namespace,
        spec: {
          volumes: [
            { name: 'a', secret: { secretName: 'many' } },
            { name: 'b', secret: { secretName: 'other' } },
          ],
        },
        container: {
          volumeMounts: [
            { name: 'a', mountPath: '/many' },
            { name: 'b', mountPath: '/other' },
          ],
        },
      }),
    );
    await waitReady(kubectl, 'collector', namespace);
    expect(await sh('collector', 'ls /many | wc -l; cat /many/file-39 /other/token')).toBe(
      '40\nv39abc',
    );
  });

  test('V10 all keys are consumed when items lists all of them', async () => {
    const items = [
      { key: 'username', path: 'u' },
      { key: 'password', path: 'deep/er/p' },
    ];
    await kubectl.apply(secretVolumePod('all', 'mysecret', { namespace, source: { items } }));
    await waitReady(kubectl, 'all', namespace);
    expect(await sh('all', 'cat /etc/foo/u /etc/foo/deep/er/p')).toBe('admin1f2d1e2e67df');
  });

  test('V11 a listed key that does not exist: the volume is not created, until the key is there', async () => {
    const items = [{ key: 'absent', path: 'absent' }];
    await kubectl.apply(secretVolumePod('waits', 'mysecret', { namespace, source: { items } }));
    await eventually(async () =>
      expect(await eventsOf(kubectl, 'waits', namespace)).toContain(
        'Warning FailedMount: MountVolume.SetUp failed for volume "foo" : references non-existent secret key: absent',
      ),
    );
    expect(await kubectl(`get pod waits -n ${namespace} -o jsonpath={.status.phase}`)).toBe(
      'Pending',
    );
    await kubectl(`patch secret mysecret -n ${namespace} -p {"stringData":{"absent":"here"}}`);
    await waitReady(kubectl, 'waits', namespace);
    expect(await sh('waits', 'cat /etc/foo/absent')).toBe('here');
  });

  test('V12 a secret that does not exist holds the pod back; it starts when the secret is made', async () => {
    await kubectl.apply(secretVolumePod('early', 'later', { namespace }));
    await eventually(async () =>
      expect(await eventsOf(kubectl, 'early', namespace)).toContain(
        'MountVolume.SetUp failed for volume "foo" : secret "later" not found',
      ),
    );
    await kubectl.apply(secret('later', { key: 'now' }, { namespace }));
    await waitReady(kubectl, 'early', namespace);
    expect(await sh('early', 'cat /etc/foo/key')).toBe('now');
  });

  test('V13 without a mode the files are 0644', async () => {
    await kubectl.apply(secretVolumePod('plain', 'mysecret', { namespace }));
    await waitReady(kubectl, 'plain', namespace);
    expect(await sh('plain', 'stat -L -c %a /etc/foo/username')).toBe('644\n');
    expect(
      await kubectl(
        `get pod plain -n ${namespace} -o jsonpath={.spec.volumes[0].secret.defaultMode}`,
      ),
    ).toBe('420');
  });

  test('V14 a default mode for the volume is overridden by the mode of a key', async () => {
    const source = {
      defaultMode: 0o440,
      items: [
        { key: 'username', path: 'username' },
        { key: 'password', path: 'password', mode: 0o600 },
      ],
    };
    await kubectl.apply(secretVolumePod('modes', 'mysecret', { namespace, source }));
    await waitReady(kubectl, 'modes', namespace);
    expect(await sh('modes', 'stat -L -c "%a %n" /etc/foo/*')).toBe(
      '600 /etc/foo/password\n440 /etc/foo/username\n',
    );
  });

  test.each(['0400', '0o400', '256'])('V15 YAML mode %s is 0400', async text => {
    const manifest = `
apiVersion: v1
kind: Pod
metadata: { name: octal, namespace: ${namespace} }
spec:
  terminationGracePeriodSeconds: 0
  volumes:
    - name: foo
      secret: { secretName: mysecret, defaultMode: ${text} }
  containers:
    - name: main
      image: busybox
      imagePullPolicy: IfNotPresent
      command: [sleep, "3600"]
      volumeMounts: [{ name: foo, mountPath: /etc/foo }]
`;
    await kubectl('apply -f -', [], { input: manifest });
    await waitReady(kubectl, 'octal', namespace);
    expect(await sh('octal', 'stat -L -c %a /etc/foo/username')).toBe('400\n');
  });

  test('V16 a mounted secret is updated while the pod runs: keys change, come and go', async () => {
    await kubectl.apply(secretVolumePod('live', 'mysecret', { namespace }));
    await waitReady(kubectl, 'live', namespace);
    await kubectl(`patch secret mysecret -n ${namespace} --type=merge -p`, [
      JSON.stringify({ data: { password: null }, stringData: { username: 'root', extra: 'new' } }),
    ]);
    await eventually(async () =>
      expect(await sh('live', 'cd /etc/foo; grep -H . *')).toBe('extra:new\nusername:root\n'),
    );
  });

  test('V17 a value of any bytes arrives as those bytes', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await kubectl.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'binary', namespace },
      data: { all: bytes.toString('base64') },
    });
    await kubectl.apply(secretVolumePod('bytes', 'binary', { namespace }));
    await waitReady(kubectl, 'bytes', namespace);
    expect((await sh('bytes', 'base64 /etc/foo/all')).replaceAll('\n', '')).toBe(
      bytes.toString('base64'),
    );
  });
});

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { secretResource } from '../../src/api/core/v1/secret.ts';
import { createClient } from '../../src/client/http-client.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import { eventually } from '../support/eventually.ts';
import { busyboxContainer, busyboxPod, eventsOf, secret, waitReady } from '../support/pods.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();
let namespace: string;
beforeAll(async () => {
  namespace = await freshNamespace(kubectl, 'volumes');
  return () => kubectl(`delete namespace ${namespace} --wait=false`);
});
const n = (line: string, more: readonly string[] = [], input?: object): Promise<string> =>
  kubectl(
    `-n ${namespace} ${line}`,
    more,
    input === undefined ? {} : { input: JSON.stringify(input) },
  );
const sh = (pod: string, script: string, container?: string): Promise<string> =>
  kubectl.sh(pod, script, { namespace, ...(container === undefined ? {} : { container }) });
const lines = async (...of: Parameters<typeof sh>): Promise<string[]> =>
  (await sh(...of)).split('\n').filter(Boolean);
const pod = (name: string, options: Parameters<typeof busyboxPod>[1] = {}): Promise<string> =>
  kubectl.apply(busyboxPod(name, { namespace, ...options }));
const put = (name: string, stringData: Record<string, string>): Promise<string> =>
  kubectl.apply(secret(name, stringData, { namespace }));
const change = (name: string, patch: object): Promise<string> =>
  n(`patch secret ${name} --type=merge -p`, [JSON.stringify(patch)]);
const field = (name: string, at: string): Promise<string> =>
  n(`get pod ${name} -o jsonpath={${at}}`);
const events = (name: string): Promise<string> => eventsOf(kubectl, name, namespace);
const failed = (volume: string, text: string): string =>
  `Warning FailedMount: MountVolume.SetUp failed for volume "${volume}" : ${text}`;
const mountsOf = (...of: [name: string, mountPath: string, more?: object][]) =>
  of.map(([name, mountPath, more = {}]) => ({ name, mountPath, ...more }));

describe('one pod with every shape of a secret', () => {
  const bytes = Buffer.from(Array.from({ length: 1024 * 1024 }, (_, i) => (i * 7) % 256));
  beforeAll(async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key-${i}`, `v${i}`]));
    await put('many', many);
    await put('odd', {
      Key: '1',
      key: '2',
      KEY: '3',
      '.dot': '4',
      'a..b': '5',
      _: '6',
      '-': '7',
      empty: '',
      ['k'.repeat(253)]: 'long',
    });
    await put('abc', { a: 'A', b: 'B', c: 'C' });
    await n('create secret generic none');
    await n('create -f -', [], {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'full' },
      data: { bytes: bytes.toString('base64') },
    });
    const items = [
      { key: 'a', path: 'x/y/z' },
      { key: 'b', path: 'x/b/', mode: 0o600 },
      { key: 'c', path: './c//./d' },
    ];
    const long = [{ key: 'a', path: Array.from({ length: 15 }, () => 'd'.repeat(255)).join('/') }];
    await pod('shapes', {
      spec: {
        volumes: [
          { name: 'many', secret: { secretName: 'many' } },
          { name: 'odd', secret: { secretName: 'odd' } },
          { name: 'none', secret: { secretName: 'none' } },
          { name: 'full', secret: { secretName: 'full' } },
          { name: 'plain', secret: { secretName: 'abc' } },
          { name: 'items', secret: { secretName: 'abc', items, defaultMode: 0o440 } },
          { name: 'long', secret: { secretName: 'abc', items: long } },
          { name: 'scratch', emptyDir: {} },
        ],
        containers: [
          busyboxContainer('main', {
            command: ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'],
            env: [{ name: 'KEY', value: 'b' }],
            volumeMounts: mountsOf(
              ['many', '/many'],
              ['odd', '/odd'],
              ['none', '/none'],
              ['full', '/full'],
              ['plain', '/plain', { readOnly: true, recursiveReadOnly: 'IfPossible' }],
              ['items', '/items'],
              ['long', '/long'],
              ['scratch', '/plain/in/ner'],
              ['odd', '/plain/odd'],
              ['plain', '/file', { subPath: 'a' }],
              ['plain', '/expr', { subPathExpr: '$(KEY)' }],
              ['items', '/folder', { subPath: 'x' }],
              ['items', '/deep', { subPath: 'x/y/z' }],
              ['plain', '/missing', { subPath: 'no-such-key' }],
              ['scratch', '/made', { subPath: 'for/all' }],
            ),
          }),
          busyboxContainer('privileged', {
            securityContext: { privileged: true },
            volumeMounts: mountsOf(['plain', '/plain', { readOnly: false }], ['items', '/other']),
          }),
        ],
      },
    });
    await waitReady(kubectl, 'shapes', namespace);
  });

  test('every key is there with its bytes, whatever it is named and however many there are', async () => {
    expect(await sh('shapes', 'ls /many | wc -l; cat /many/key-0 /many/key-4999')).toBe(
      '5000\nv0v4999',
    );
    expect(await sh('shapes', 'cd /odd; cat Key key KEY .dot a..b _ ./-; wc -c < empty')).toBe(
      '12345670\n',
    );
    expect(await sh('shapes', 'cat /odd/kkk*; ls -A /none | grep -v ^[.][.]; true')).toBe('long');
    const [sum] = (await sh('shapes', 'md5sum /full/bytes')).split(' ');
    expect(sum).toBe(createHash('md5').update(bytes).digest('hex'));
    expect(await sh('shapes', 'find /long/..data/ -type f -exec cat {} +')).toBe('A');
  });

  test('the pod’s status tells how each is mounted', async () => {
    const at = '{.status.containerStatuses[?(@.name=="main")].volumeMounts';
    const told = async (path: string): Promise<unknown> =>
      JSON.parse(
        await kubectl(`-n ${namespace} get pod shapes -o`, [
          `jsonpath=${at}[?(@.mountPath=="${path}")]}`,
        ]),
      );
    // Debian's containerd cannot do it, and it was asked for where possible.
    expect(await told('/plain')).toEqual({
      name: 'plain',
      mountPath: '/plain',
      readOnly: true,
      recursiveReadOnly: 'Disabled',
    });
    expect(await told('/plain/in/ner')).toEqual({ name: 'scratch', mountPath: '/plain/in/ner' });
  });

  test('items lie at their paths with their modes; the same secret elsewhere has its own', async () => {
    expect(await sh('shapes', 'cat /items/x/y/z /items/x/b /items/c/d')).toBe('ABC');
    expect(await sh('shapes', 'cd /items; stat -L -c "%a %n" x/y/z x/b c/d x /plain/a')).toBe(
      '440 x/y/z\n600 x/b\n440 c/d\n755 x\n644 /plain/a\n',
    );
    expect(await lines('shapes', 'ls -A /items')).toEqual([
      expect.stringMatching(/^\.\.\d{4}(_\d\d){5}\.\d+$/),
      '..data',
      'c',
      'x',
    ]);
    expect(await sh('shapes', 'cat /other/x/y/z', 'privileged')).toBe('A');
  });

  test('nobody can write there, with or without readOnly, also with privileges', async () => {
    for (const [container, file] of [
      ['main', '/plain/a'],
      ['main', '/items/new'],
      ['main', '/file'],
      ['main', '/folder/new'],
      ['main', '/missing/new'],
      ['privileged', '/plain/a'],
      ['privileged', '/other/new'],
    ] as const) {
      await expect(sh('shapes', `echo x > ${file}`, container)).rejects.toThrow(
        `can't create ${file}: Read-only file system`,
      );
    }
  });

  test('other volumes can be mounted below; a sub-path is a file, a folder, or made', async () => {
    expect(await sh('shapes', 'echo ok > /plain/in/ner/own && cat /plain/in/ner/own')).toBe('ok\n');
    expect(await sh('shapes', 'cat /plain/odd/key /plain/a')).toBe('2A');
    expect(await sh('shapes', 'cat /file /expr /folder/y/z /folder/b /deep')).toBe('ABABA');
    expect(await sh('shapes', 'ls /missing; stat -c "%F %a" /missing /made')).toBe(
      'directory 1777\ndirectory 777\n',
    );
  });

  test('keys come, go and change names; what did not change keeps its times', async () => {
    const times = 'stat -c "%Y %Z %n" /plain/..data /plain/c; stat -L -c "%Y %Z" /plain/c';
    const before = await sh('shapes', times);
    await n('annotate secret abc touched=yes');
    await change('abc', { stringData: { a: 'A' } });
    await put('odd', { key: 'later' });
    await eventually(async () => expect(await sh('shapes', 'cat /plain/odd/key')).toBe('later'));
    expect(await sh('shapes', times)).toBe(before);

    const names = 'cd /plain; ls; cat a c renamed 2>/dev/null; true';
    await change('abc', { data: { b: null }, stringData: { a: 'A2', renamed: 'B' } });
    await eventually(async () =>
      expect(await sh('shapes', names)).toBe('a\nc\nin\nno-such-key\nodd\nrenamed\nA2CB'),
    );
    // The other volume wants b, which is gone: it stays as it was, whole.
    await eventually(async () =>
      expect(await events('shapes')).toContain(
        failed('items', 'references non-existent secret key: b'),
      ),
    );
    expect(await sh('shapes', 'cat /items/x/y/z /items/x/b /items/c/d')).toBe('ABC');
    await change('abc', { data: { renamed: null }, stringData: { b: 'B2' } });
    await eventually(async () =>
      expect(await sh('shapes', 'cat /items/x/y/z /items/x/b')).toBe('A2B2'),
    );
  });

  test('a sub-path shows what was there when its container started', async () => {
    expect(await sh('shapes', 'cat /file /expr /folder/y/z /deep')).toBe('ABAA');
    await change('abc', { stringData: { 'no-such-key': 'here' } });
    await kubectl.try(`-n ${namespace} exec shapes -c main -- kill -TERM 1`);
    const status = '.status.containerStatuses[?(@.name=="main")]';
    await eventually(async () => expect(await field('shapes', `${status}.restartCount`)).toBe('1'));
    await waitReady(kubectl, 'shapes', namespace);
    expect(await sh('shapes', 'cat /file /expr /folder/y/z /deep')).toBe('A2B2A2A2');
  });

  test('nothing is left of a pod that is gone', async () => {
    const uid = await field('shapes', '.metadata.uid');
    const folder = path.join(path.dirname(kubectl.kubeconfig), 'pods', uid);
    const mounts = async (): Promise<string[]> =>
      (await readFile('/proc/self/mounts', 'utf8')).split('\n').filter(each => each.includes(uid));
    expect(existsSync(folder)).toBe(true);
    expect(await mounts()).not.toEqual([]);
    await n('delete pod shapes');
    await eventually(() => expect(existsSync(folder)).toBe(false));
    expect(await mounts()).toEqual([]);
  });
});

describe('owners and modes', () => {
  const files = (script: string): Promise<string[]> =>
    lines('owned', `cd /v; stat -L -c "%a %u %g %n" ${script}`);
  beforeAll(async () => {
    await put('owned', { a: 'A', b: 'B' });
    const nested = [{ key: 'a', path: 'in/a', mode: 0o400 }];
    const items = [
      { key: 'a', path: 'a' },
      { key: 'b', path: 'b', user: 0, mode: 0o600 },
    ];
    await pod('owned', {
      spec: {
        securityContext: {
          runAsUser: 1000,
          runAsGroup: 2000,
          fsGroup: 3000,
          supplementalGroups: [4000],
          fsGroupChangePolicy: 'OnRootMismatch',
        },
        volumes: [
          { name: 'strict', secret: { secretName: 'owned', defaultMode: 0o400 } },
          { name: 'nested', secret: { secretName: 'owned', items: nested } },
          {
            name: 'user',
            secret: { secretName: 'owned', defaultUser: 1000, defaultMode: 0o400, items },
          },
          {
            name: 'token',
            projected: {
              sources: [
                { serviceAccountToken: { path: 'token' } },
                { secret: { name: 'owned', items: nested } },
              ],
            },
          },
        ],
      },
      container: {
        volumeMounts: mountsOf(
          ['strict', '/v/strict'],
          ['nested', '/v/nested'],
          ['user', '/v/user'],
          ['token', '/v/token'],
        ),
      },
    });
    await waitReady(kubectl, 'owned', namespace);
  });

  test('fsGroup reads what only the owner could, in folders that hand the group on', async () => {
    expect(await sh('owned', 'id -u; id -g; id -G')).toBe('1000\n2000\n2000 3000 4000\n');
    expect(await files('strict strict/..data strict/a nested/in nested/in/a')).toEqual([
      '3777 0 3000 strict',
      '2755 0 3000 strict/..data',
      '440 0 3000 strict/a',
      '2755 0 3000 nested/in',
      '440 0 3000 nested/in/a',
    ]);
    expect(await sh('owned', 'cat /v/strict/a /v/nested/in/a')).toBe('AA');
  });

  test('files belong to the user that the volume or the item names', async () => {
    expect(await files('user/a user/b')).toEqual(['440 1000 3000 user/a', '640 0 3000 user/b']);
    expect(await field('owned', '.spec.volumes[?(@.name=="user")].secret.defaultUser')).toBe(
      '1000',
    );
  });

  test('a token belongs to the one user of all containers', async () => {
    expect(await files('token/token token/in/a')).toEqual([
      '640 1000 3000 token/token',
      '440 0 3000 token/in/a',
    ]);
    expect((await sh('owned', 'cat /v/token/token')).split('.')).toHaveLength(3);
  });

  test('they stay so when the secret changes', async () => {
    await change('owned', { stringData: { a: 'new' } });
    await eventually(async () => expect(await sh('owned', 'cat /v/user/a')).toBe('new'));
    expect(await files('strict/a nested/in user/a user/b token/token')).toEqual([
      '440 0 3000 strict/a',
      '2755 0 3000 nested/in',
      '440 1000 3000 user/a',
      '640 0 3000 user/b',
      '640 1000 3000 token/token',
    ]);
  });
});

describe('what is not there', () => {
  test('holds the pod back, is told once for all sources, and is waited for', async () => {
    await put('half', { a: 'A' });
    const some = (key: string) => [{ key, path: key }];
    const spec = {
      volumes: [
        { name: 'whole', secret: { secretName: 'absent' } },
        { name: 'key', secret: { secretName: 'half', items: some('b') } },
        {
          name: 'several',
          projected: {
            sources: [
              { secret: { name: 'absent' } },
              { secret: { name: 'half', items: some('b') } },
              { configMap: { name: 'absent' } },
              { secret: { name: 'never', optional: true } },
              {
                downwardAPI: {
                  items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }],
                },
              },
            ],
          },
        },
        {
          name: 'toolong',
          secret: { secretName: 'half', items: [{ key: 'a', path: 'x'.repeat(256) }] },
        },
      ],
    };
    const volumeMounts = mountsOf(['whole', '/whole'], ['key', '/key'], ['several', '/several']);
    await pod('waits', { spec, container: { volumeMounts } });
    await pod('toolong', { spec, container: { volumeMounts: mountsOf(['toolong', '/toolong']) } });
    await eventually(async () => {
      const told = await events('waits');
      expect(told).toContain(failed('whole', 'secret "absent" not found'));
      expect(told).toContain(failed('key', 'references non-existent secret key: b'));
      expect(told).toContain(
        failed(
          'several',
          '[secret "absent" not found, references non-existent secret key: b, configmap "absent" not found]',
        ),
      );
      expect(await events('toolong')).toContain(
        failed('toolong', 'invalid path: filenames must be less than or equal to 255 characters'),
      );
    });
    expect(await n('get pods waits toolong --no-headers')).toMatch(
      /waits +0\/1 +ContainerCreating.*\ntoolong +0\/1 +ContainerCreating/,
    );
    await put('absent', { k: 'K', name: 'overridden by a later source' });
    await change('half', { stringData: { b: 'B' } });
    await n('create configmap absent --from-literal=k=config --from-literal=b=over');
    await waitReady(kubectl, 'waits', namespace);
    expect(await sh('waits', 'cd /several; cat /whole/k /key/b k b name; ls')).toBe(
      'KBconfigoverwaitsb\nk\nname\n',
    );
    // The one that can never be is not started without its secret.
    expect(await field('toolong', '.status.phase')).toBe('Pending');
    await n('delete pod toolong waits');
  });

  test('and is optional comes, goes and comes back; a required one that goes leaves its files', async () => {
    await put('required', { k: 'first', other: 'x' });
    const optional = { optional: true, items: [{ key: 'k', path: 'k' }] };
    await pod('patient', {
      spec: {
        volumes: [
          { name: 'o', secret: { secretName: 'sometime', optional: true } },
          { name: 'k', secret: { secretName: 'sometime', ...optional } },
          { name: 'r', secret: { secretName: 'required' } },
          {
            name: 'p',
            projected: {
              sources: [
                { secret: { name: 'sometime', ...optional } },
                { secret: { name: 'required' } },
              ],
            },
          },
        ],
      },
      container: { volumeMounts: mountsOf(['o', '/o'], ['k', '/k'], ['r', '/r'], ['p', '/p']) },
    });
    await waitReady(kubectl, 'patient', namespace);
    const seen = 'cd /; for f in o/* k/* r/* p/*; do test -e $f && echo $f=$(cat $f); done; true';
    const shows = (...expected: string[]): Promise<void> =>
      eventually(async () => expect(await lines('patient', seen)).toEqual(expected)).then(
        () => undefined,
      );
    const required = ['r/k=first', 'r/other=x', 'p/k=first', 'p/other=x'];
    await shows(...required);
    await put('sometime', { k: 'here', z: 'more' });
    await shows('o/k=here', 'o/z=more', 'k/k=here', ...required);
    await change('sometime', { data: { k: null } });
    await shows('o/z=more', ...required);
    await n('delete secret sometime');
    await shows(...required);
    await n('delete secret required');
    await eventually(async () =>
      expect(await events('patient')).toContain(failed('r', 'secret "required" not found')),
    );
    await put('sometime', { k: 'back' });
    await shows('o/k=back', 'k/k=back', ...required);
    await put('required', { k: 'second' });
    await shows('o/k=back', 'k/k=back', 'r/k=second', 'p/k=second');
  });
});

test('a reader in a container sees whole versions only, and hears of each', async () => {
  const rotations = 1000;
  const versionOf = (i: number) => ({
    a: `${i}\n`.repeat(200),
    b: `${i}\n`.repeat(200),
    last: String(i),
  });
  await put('rotated', versionOf(0));
  // The machine's own node, so that the reader is quick and can use inotify.
  const host = ['/lib', '/lib64', path.dirname(process.execPath)].filter(each => existsSync(each));
  const { spec, container } = {
    spec: {
      restartPolicy: 'Never',
      volumes: [
        { name: 's', secret: { secretName: 'rotated' } },
        ...host.map((from, i) => ({ name: `h${i}`, hostPath: { path: from } })),
      ],
    },
    container: {
      command: [process.execPath, '-e', readerScript, String(rotations)],
      volumeMounts: [
        { name: 's', mountPath: '/s' },
        ...host.map((mountPath, i) => ({ name: `h${i}`, mountPath, readOnly: true })),
      ],
    },
  };
  await pod('reader', { spec, container });
  await eventually(async () => expect(await n('logs reader')).toContain('reading'));
  const client = createClient(await loadKubeconfig(kubectl.kubeconfig));
  for (let i = 1; i <= rotations; i += 1) {
    await client
      .resource(secretResource)
      .patch(namespace, 'rotated', 'merge', { stringData: versionOf(i) });
  }
  await client.close();
  await n('wait pod/reader --for=jsonpath={.status.phase}=Succeeded --timeout=60s');
  const report = JSON.parse((await n('logs reader')).split('\n').at(-1) ?? '') as Report;
  expect(report).toMatchObject({ torn: 0, missing: 0, last: String(rotations) });
  expect(report.versions).toBeGreaterThan(10);
  expect(report.heard).toBeGreaterThan(10);
});

interface Report {
  /** Reads that showed parts of two versions. */
  readonly torn: number;
  /** Reads of a file by its name that did not find it. */
  readonly missing: number;
  /** How many versions were seen whole. */
  readonly versions: number;
  /** How often inotify told of ..data. */
  readonly heard: number;
  readonly last: string;
}

/** Reads each file by its name, and both of one version, until the last version is there. */
const readerScript = `
  const fs = require('node:fs');
  const versions = new Set();
  const report = { torn: 0, missing: 0, versions: 0, heard: 0, last: '' };
  fs.watch('/s', (_, name) => { if (name === '..data') report.heard += 1; });
  const whole = text => {
    const [first] = text.split('\\n');
    return text === (first + '\\n').repeat(200) ? first : undefined;
  };
  const read = name => {
    try { return fs.readFileSync('/s/' + name, 'utf8'); } catch { report.missing += 1; return ''; }
  };
  const step = () => {
    for (let i = 0; i < 20; i += 1) {
      if (whole(read('a')) === undefined) report.torn += 1;
      try {
        // A version may be gone by the time it is read; what is read of it is of that version.
        const at = '/s/' + fs.readlinkSync('/s/..data') + '/';
        const [a, b] = ['a', 'b'].map(name => whole(fs.readFileSync(at + name, 'utf8')));
        if (a === undefined || a !== b || fs.readFileSync(at + 'last', 'utf8') !== a) report.torn += 1;
        versions.add(a);
      } catch (error) {
        if (error.code !== 'ENOENT') throw error;
      }
    }
    report.last = read('last');
    if (report.last !== process.argv[1]) return setImmediate(step);
    report.versions = versions.size;
    console.log(JSON.stringify(report));
    process.exit(0);
  };
  console.log('reading');
  step();
`;

test('modes are told as they are meant: octal in YAML, decimal in JSON, never in quotes', async () => {
  const attempt = (mode: string) =>
    kubectl.try(`-n ${namespace} create --dry-run=server -o yaml -f -`, [], {
      input: `
apiVersion: v1
kind: Pod
metadata: { name: octal }
spec:
  containers: [{ name: c, image: busybox }]
  volumes: [{ name: v, secret: { secretName: s, defaultMode: ${mode} } }]
`,
    });
  for (const good of ['0400', '0o400', '256']) {
    const { stdout, stderr } = await attempt(good);
    expect([stdout.match(/defaultMode: 256/)?.length, stderr]).toEqual([1, '']);
  }
  expect((await attempt('400')).stderr).toBe(
    'Warning: spec.volumes[0].secret.defaultMode: 400 is 0620 in octal; 0400 is 256\n',
  );
  expect((await attempt('600')).stderr).toContain(
    'spec.volumes[0].secret.defaultMode: Invalid value: 600: must be a number between 0 and 0777 (octal), both inclusive',
  );
  expect((await attempt('"0400"')).stderr).toContain(
    'json: cannot unmarshal string into Go struct field SecretVolumeSource.spec.volumes.secret.defaultMode of type int32',
  );
});

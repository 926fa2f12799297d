import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { busyboxContainer, busyboxPod, eventsOf, secret, waitReady } from '../support/pods.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();
let namespace: string;
beforeAll(async () => {
  namespace = await freshNamespace(kubectl, 'environment');
  return () => kubectl(`delete namespace ${namespace} --wait=false`);
});
const n = (line: string, more: readonly string[] = []): Promise<string> =>
  kubectl(`-n ${namespace} ${line}`, more);
/** The variables of a container's first process: a shell would drop those that it could not have set. */
const variablesOf = async (pod: string): Promise<Map<string, string>> => {
  const entries = await kubectl.sh(pod, 'cat /proc/1/environ | base64 -w0', { namespace });
  return new Map(
    Buffer.from(entries, 'base64')
      .toString()
      .split('\0')
      .filter(Boolean)
      .map(each => {
        const at = each.indexOf('=', 1);
        return [each.slice(0, at), each.slice(at + 1)];
      }),
  );
};
const fromSecret = (name: string, key: string, more: object = {}): object => ({
  valueFrom: { secretKeyRef: { name, key, ...more } },
});
const states = async (pod: string): Promise<Record<string, string>> => {
  const { status } = JSON.parse(await n(`get pod ${pod} -o json`)) as {
    status: Record<
      string,
      {
        name: string;
        restartCount: number;
        state: Record<string, { reason?: string; message?: string }>;
      }[]
    >;
  };
  const all = [...(status['initContainerStatuses'] ?? []), ...(status['containerStatuses'] ?? [])];
  return Object.fromEntries(
    all.map(({ name, state, restartCount }) => {
      const [kind = ''] = Object.keys(state);
      const { reason = '', message = '' } = state[kind] ?? {};
      return [name, [kind, reason, message, restartCount].filter(part => part !== '').join(' | ')];
    }),
  );
};

describe('order, expansion, and what may be absent', () => {
  beforeAll(async () => {
    await kubectl.apply(
      secret(
        's',
        {
          A: 'from-s',
          B: 'b',
          REF: '$(A)',
          LINES: 'l1\nl2\n',
          EMPTY: '',
          DOLLAR: '$$(A) $A',
          'dots.and-dashes': 'd',
          '1digit': 'skipped',
        },
        { namespace },
      ),
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'c', namespace },
        data: { A: 'from-c', C: 'c', SELF: '$(A)' },
      },
      busyboxPod('order', {
        namespace,
        container: {
          command: ['sleep', '3600'],
          envFrom: [
            { secretRef: { name: 's' } },
            { configMapRef: { name: 'c' } },
            { prefix: 'P_', secretRef: { name: 's' } },
            { secretRef: { name: 'absent', optional: true } },
            { configMapRef: { name: 'absent', optional: true } },
          ],
          env: [
            { name: 'EARLY', value: '$(SECRET)' },
            { name: 'SECRET', ...fromSecret('s', 'REF') },
            { name: 'LATE', value: '[$(SECRET)] $$(SECRET) $(NOPE) $(P_B) $(A' },
            { name: 'A', value: 'from-env, was $(A)' },
            { name: 'TWICE', value: '1' },
            { name: 'TWICE', value: '$(TWICE)2' },
            { name: 'KUBERNETES_SERVICE_PORT', value: 'mine' },
            { name: 'HOST', value: '$(KUBERNETES_SERVICE_HOST)' },
            { name: 'NO_KEY', ...fromSecret('s', 'none', { optional: true }) },
            { name: 'NO_SECRET', ...fromSecret('none', 'none', { optional: true }) },
            { name: 'EMPTY_KEY', ...fromSecret('s', 'EMPTY') },
            { name: 'EMPTY_VALUE' },
            { name: '1 odd #@! name', value: 'yes' },
            { name: '__proto__', value: 'a name as any' },
          ],
        },
      }),
    );
    await waitReady(kubectl, 'order', namespace);
  });

  test('each variable has the value that the last of its sources gives it', async () => {
    const variables = await variablesOf('order');
    const host = variables.get('KUBERNETES_SERVICE_HOST') ?? '';
    expect(host).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    const expected: Record<string, string | undefined> = {
      // envFrom: the later source wins; env wins over it, and can build on it.
      A: 'from-env, was from-c',
      B: 'b',
      C: 'c',
      P_A: 'from-s',
      TWICE: '12',
      // Values of objects are never expanded, and can be referred to by what follows.
      SELF: '$(A)',
      DOLLAR: '$$(A) $A',
      SECRET: '$(A)',
      EARLY: '$(SECRET)',
      LATE: '[$(A)] $(SECRET) $(NOPE) b $(A',
      // Service variables give way, and can be referred to.
      KUBERNETES_SERVICE_PORT: 'mine',
      HOST: host,
      NO_KEY: undefined,
      NO_SECRET: undefined,
      EMPTY_KEY: '',
      EMPTY_VALUE: '',
      LINES: 'l1\nl2\n',
      'dots.and-dashes': 'd',
      '1digit': undefined,
      P_1digit: 'skipped',
      '1 odd #@! name': 'yes',
    };
    for (const [name, value] of Object.entries(expected)) {
      expect([name, variables.get(name)]).toEqual([name, value]);
    }
    expect(variables.get('__proto__')).toBe('a name as any');
  });

  test('the skipped key is told of once, the container started all the same', async () => {
    await eventually(async () =>
      expect((await eventsOf(kubectl, 'order', namespace)).match(/Invalid.*$/gm)).toEqual([
        `InvalidEnvironmentVariableNames: Keys [1digit] from the EnvFrom secret ${namespace}/s were skipped since they are considered invalid environment variable names.`,
      ]),
    );
  });

  test('describe and set env tell where values come from, and no value', async () => {
    const described = await n('describe pod order');
    for (const line of [
      /Environment Variables from:\n +s +Secret +Optional: false\n +c +ConfigMap +Optional: false\n +s +Secret with prefix 'P_' +Optional: false\n +absent +Secret +Optional: true/,
      /SECRET: +<set to the key 'REF' in secret 's'> +Optional: false/,
      /NO_KEY: +<set to the key 'none' in secret 's'> +Optional: true/,
    ]) {
      expect(described).toMatch(line);
    }
    expect(described).not.toContain('from-s');
    expect(await n('set env pod/order --list')).toContain('# SECRET from secret s, key REF');
    expect(
      await n('set env pod/order --dry-run=client --from=secret/s -o', [
        'jsonpath={.spec.containers[0].env[-1:]}',
      ]),
    ).toContain('"secretKeyRef"');
    expect((await kubectl.try(`-n ${namespace} set env pod/order NEW=1`)).stderr).toContain(
      'pod updates may not change fields other than',
    );
  });

  test('command and args are expanded with the finished variables', async () => {
    await kubectl.apply(
      busyboxPod('args', {
        namespace,
        spec: { restartPolicy: 'Never' },
        container: {
          command: ['echo', '$(SECRET)'],
          args: ['$(LATER)', '$(NOPE)', '$$(SECRET)', '$(SECRET'],
          env: [
            { name: 'SECRET', ...fromSecret('s', 'B') },
            { name: 'LATER', value: 'later' },
          ],
        },
      }),
    );
    await n('wait pod/args --for=jsonpath={.status.phase}=Succeeded --timeout=60s');
    expect(await n('logs args')).toBe('b later $(NOPE) $(SECRET) $(SECRET');
  });
});

describe('what is missing', () => {
  test('holds its container back, says what it is, and is found as soon as it is there', async () => {
    await kubectl.apply(
      busyboxPod('waits', {
        namespace,
        spec: {
          initContainers: [
            busyboxContainer('init', {
              command: ['true'],
              env: [{ name: 'X', ...fromSecret('late', 'init') }],
            }),
          ],
          containers: [
            busyboxContainer('good'),
            busyboxContainer('key', { env: [{ name: 'X', ...fromSecret('late', 'k') }] }),
            busyboxContainer('all', { envFrom: [{ secretRef: { name: 'later' } }] }),
            busyboxContainer('map', { envFrom: [{ configMapRef: { name: 'later' } }] }),
          ],
        },
      }),
    );
    const waiting = (message: string): string =>
      `waiting | CreateContainerConfigError | ${message} | 0`;
    const initializing = 'waiting | PodInitializing | 0';
    await eventually(async () =>
      expect(await states('waits')).toEqual({
        init: waiting('secret "late" not found'),
        good: initializing,
        key: initializing,
        all: initializing,
        map: initializing,
      }),
    );
    expect(await n('get pod waits --no-headers')).toMatch(
      /^waits +0\/4 +Init:CreateContainerConfigError +0 /,
    );

    await n('create secret generic late --from-literal=init=x');
    await eventually(async () =>
      expect(await states('waits')).toEqual({
        init: 'terminated | Completed | 0',
        good: 'running | 0',
        key: waiting(`couldn't find key k in Secret ${namespace}/late`),
        all: waiting('secret "later" not found'),
        map: waiting('configmap "later" not found'),
      }),
    );
    expect(await n('get pod waits --no-headers')).toMatch(
      /^waits +1\/4 +CreateContainerConfigError +0 /,
    );
    expect(await n('get pod waits -o jsonpath={.status.phase}')).toBe('Pending');
    await eventually(async () => {
      const events = await eventsOf(kubectl, 'waits', namespace);
      for (const text of [
        'secret "late" not found',
        `couldn't find key k in Secret ${namespace}/late`,
        'secret "later" not found',
        'configmap "later" not found',
      ]) {
        expect(events).toContain(`Warning Failed: Error: ${text}`);
      }
    });

    await n('create secret generic later --from-literal=Y=y');
    await n('create configmap later --from-literal=Z=z');
    await n('patch secret late', ['-p', '{"stringData":{"k":"kk"}}']);
    await waitReady(kubectl, 'waits', namespace);
    expect(Object.values(await states('waits'))).toEqual([
      'terminated | Completed | 0',
      ...Array.from({ length: 4 }, () => 'running | 0'),
    ]);
    expect(await kubectl.sh('waits', 'echo $X', { namespace, container: 'key' })).toBe('kk\n');
    expect(await kubectl.sh('waits', 'echo $Y', { namespace, container: 'all' })).toBe('y\n');
  });
});

describe('values that no variable can have', () => {
  test('a NUL byte: told by name, key and secret; mended, the container starts', async () => {
    await kubectl.apply(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'raw', namespace },
        data: { k: Buffer.from('hunter2\0').toString('base64') },
      },
      busyboxPod('nul', {
        namespace,
        container: { env: [{ name: 'RAW', ...fromSecret('raw', 'k') }] },
      }),
    );
    await eventually(async () =>
      expect(await states('nul')).toEqual({
        main: `waiting | CreateContainerConfigError | environment variable RAW: the value of key k in Secret ${namespace}/raw contains a NUL byte | 0`,
      }),
    );
    await n('patch secret raw', ['-p', '{"stringData":{"k":"text"}}']);
    await waitReady(kubectl, 'nul', namespace);
    expect((await variablesOf('nul')).get('RAW')).toBe('text');
  });

  test('128 KiB with its name is the most that Linux takes', async () => {
    const most = 128 * 1024;
    await kubectl('create -f -', [], {
      input: JSON.stringify(
        secret(
          'long',
          { fits: 'v'.repeat(most - 'X='.length - 1), not: 'v'.repeat(most - 'X='.length) },
          { namespace },
        ),
      ),
    });
    const pod = (name: string, key: string): object =>
      busyboxPod(name, {
        namespace,
        spec: { restartPolicy: 'Never' },
        container: {
          command: ['sh', '-c', 'echo ${#X}'],
          env: [{ name: 'X', ...fromSecret('long', key) }],
        },
      });
    await kubectl.apply(pod('fits', 'fits'), pod('too-long', 'not'));
    await n('wait pod/fits --for=jsonpath={.status.phase}=Succeeded --timeout=60s');
    expect(await n('logs fits')).toBe(String(most - 3));
    await n('wait pod/too-long --for=jsonpath={.status.phase}=Failed --timeout=60s');
    expect(await n('logs too-long')).toBe('exec /bin/sh: argument list too long');
  });
});

describe('a change of the secret', () => {
  test('is not seen by what runs, and is by what restarts', async () => {
    await kubectl.apply(
      secret('changes', { k: 'old' }, { namespace }),
      busyboxPod('restarts', {
        namespace,
        spec: {
          containers: ['stays', 'ends'].map(name =>
            busyboxContainer(name, {
              command: ['sh', '-c', 'trap "exit 1" TERM; sleep 3600 & wait'],
              env: [{ name: 'K', ...fromSecret('changes', 'k') }],
            }),
          ),
        },
      }),
    );
    await waitReady(kubectl, 'restarts', namespace);
    await n('patch secret changes', ['-p', '{"stringData":{"k":"new"}}']);
    await kubectl.try(`-n ${namespace} exec restarts -c ends -- kill -TERM 1`);
    await eventually(async () => expect((await states('restarts'))['ends']).toBe('running | 1'));
    const k = (container: string): Promise<string> =>
      kubectl.sh('restarts', 'echo $K', { namespace, container });
    expect(await k('ends')).toBe('new\n');
    expect(await k('stays')).toBe('old\n');
  });
});

describe('what the API makes of variables', () => {
  test('a name that hides another is warned of, one that builds on it is not', async () => {
    const apply = (env: object[]) =>
      kubectl.try('create --dry-run=server -f -', [], {
        input: JSON.stringify(busyboxPod('warned', { namespace, container: { env } })),
      });
    const hidden = await apply([
      { name: 'X', value: '1' },
      { name: 'X', ...fromSecret('s', 'B') },
    ]);
    expect(hidden.stderr).toBe(
      'Warning: spec.containers[0].env[1]: hides previous definition of "X", which may be dropped when using apply\n',
    );
    expect(
      (
        await apply([
          { name: 'X', value: '1' },
          { name: 'X', value: '$(X)2' },
        ])
      ).stderr,
    ).toBe('');
  });

  test('what cannot be one is refused', async () => {
    const refused = async (container: object): Promise<string> =>
      (
        await kubectl.try('create -f -', [], {
          input: JSON.stringify(busyboxPod('refused', { namespace, container })),
        })
      ).stderr;
    expect(await refused({ env: [{ name: 'a=b', value: 'x' }] })).toContain(
      `spec.containers[0].env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
    );
    expect(await refused({ envFrom: [{}] })).toContain(
      'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
    );
    expect(await refused({ env: [{ name: 'A', ...fromSecret('', '') }] })).toMatch(
      /secretKeyRef\.name: Invalid value: "": a lowercase RFC 1123 subdomain must.*\n?.*secretKeyRef\.key: Required value/s,
    );
  });
});

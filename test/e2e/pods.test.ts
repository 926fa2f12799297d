import { rm } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  busyboxContainer,
  busyboxPod,
  eventsOf,
  secret,
  secretVolumePod,
  waitReady,
} from '../support/pods.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();
let namespace: string;
beforeAll(async () => {
  namespace = await freshNamespace(kubectl, 'pods');
  return () => kubectl(`delete namespace ${namespace} --wait=false`);
});
const n = (line: string, more: readonly string[] = []): Promise<string> =>
  kubectl(`-n ${namespace} ${line}`, more);
const sh = (pod: string, script: string, container?: string): Promise<string> =>
  kubectl.sh(pod, script, { namespace, ...(container === undefined ? {} : { container }) });
const pod = (name: string, options: Parameters<typeof busyboxPod>[1] = {}): Promise<string> =>
  kubectl.apply(busyboxPod(name, { namespace, ...options }));
const field = (name: string, path: string): Promise<string> =>
  n(`get pod ${name} -o jsonpath={${path}}`);
const status = '.status.containerStatuses[0]';
const events = (name: string): Promise<string> => eventsOf(kubectl, name, namespace);

describe('restarts', () => {
  test('Always: a container that ends is started again, then backs off', async () => {
    await pod('crashes', { container: { command: ['sh', '-c', 'echo run; exit 1'] } });
    await eventually(async () => {
      expect(await field('crashes', `${status}.state.waiting.reason`)).toBe('CrashLoopBackOff');
    });
    expect(await field('crashes', `${status}.state.waiting.message`)).toMatch(
      /^back-off 10s restarting failed container=main pod=crashes_.*\(.*\)$/,
    );
    expect(await field('crashes', `${status}.lastState.terminated.exitCode`)).toBe('1');
    expect(Number(await field('crashes', `${status}.restartCount`))).toBeGreaterThan(0);
    expect(await n('get pod crashes --no-headers')).toMatch(
      /crashes +0\/1 +CrashLoopBackOff +1 \(\d+s ago\)/,
    );
    expect(await events('crashes')).toMatch(
      /Warning BackOff: Back-off restarting failed container main in pod crashes_/,
    );
    expect(await n('logs crashes --previous')).toBe('run');
  });

  test('OnFailure: success ends the pod, failure does not', async () => {
    const script = 'test -e /d/once && exit 0; touch /d/once; exit 2';
    await pod('second-try', {
      spec: { restartPolicy: 'OnFailure', volumes: [{ name: 'd', emptyDir: {} }] },
      container: { command: ['sh', '-c', script], volumeMounts: [{ name: 'd', mountPath: '/d' }] },
    });
    await n('wait pod/second-try --for=jsonpath={.status.phase}=Succeeded --timeout=60s');
    expect(await field('second-try', `${status}.restartCount`)).toBe('1');
  });

  test('a container that is killed from outside starts anew, with its secret read again', async () => {
    await kubectl.apply(secret('env', { k: 'old' }, { namespace }));
    const env = [{ name: 'K', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }];
    await pod('reborn', {
      container: { env, command: ['sh', '-c', 'trap "exit 1" TERM; sleep 3600 & wait'] },
    });
    await waitReady(kubectl, 'reborn', namespace);
    expect(await sh('reborn', 'echo $K')).toBe('old\n');
    await kubectl.apply(secret('env', { k: 'new' }, { namespace }));
    expect(await sh('reborn', 'echo $K')).toBe('old\n');
    await kubectl.try(`-n ${namespace} exec reborn -- kill -TERM 1`);
    await eventually(async () => expect(await field('reborn', `${status}.restartCount`)).toBe('1'));
    await eventually(async () => expect(await sh('reborn', 'echo $K')).toBe('new\n'));
  });

  test('activeDeadlineSeconds ends the pod', async () => {
    await pod('late', { spec: { activeDeadlineSeconds: 1, restartPolicy: 'Never' } });
    await n('wait pod/late --for=jsonpath={.status.reason}=DeadlineExceeded --timeout=30s');
    expect(await field('late', '.status.phase')).toBe('Failed');
  });
});

describe('init containers', () => {
  test('run one after the other before the containers, sidecars beside them', async () => {
    const write = (text: string): object => ({
      command: ['sh', '-c', `echo ${text} >> /d/order`],
      volumeMounts: [{ name: 'd', mountPath: '/d' }],
    });
    await pod('ordered', {
      spec: {
        volumes: [{ name: 'd', emptyDir: {} }],
        initContainers: [
          busyboxContainer('one', write('1')),
          busyboxContainer('side', {
            restartPolicy: 'Always',
            command: ['sh', '-c', 'echo side >> /d/order; sleep 3600'],
            volumeMounts: [{ name: 'd', mountPath: '/d' }],
          }),
          busyboxContainer('two', write('2')),
        ],
        containers: [busyboxContainer('main', { volumeMounts: [{ name: 'd', mountPath: '/d' }] })],
      },
    });
    await waitReady(kubectl, 'ordered', namespace);
    expect(
      (await sh('ordered', 'cat /d/order', 'main')).split('\n').filter(Boolean).toSorted(),
    ).toEqual(['1', '2', 'side']);
    expect(await n('get pod ordered --no-headers')).toMatch(/ordered +2\/2 +Running/);
  });

  test('one that fails for good fails a pod that never restarts', async () => {
    await pod('init-fails', {
      spec: {
        restartPolicy: 'Never',
        initContainers: [busyboxContainer('init', { command: ['false'] })],
      },
    });
    await n('wait pod/init-fails --for=jsonpath={.status.phase}=Failed --timeout=30s');
    expect(await n('get pod init-fails --no-headers')).toContain('Init:Error');
  });
});

describe('probes', () => {
  test('readiness: the pod is ready when the file is there, and not when it is gone', async () => {
    const readinessProbe = { exec: { command: ['cat', '/tmp/ready'] }, periodSeconds: 1 };
    await pod('readiness', { container: { readinessProbe } });
    await eventually(async () =>
      expect(await events('readiness')).toContain(
        "Warning Unhealthy: Readiness probe failed: cat: can't open '/tmp/ready': No such file or directory",
      ),
    );
    expect(await field('readiness', `${status}.ready`)).toBe('false');
    await sh('readiness', 'touch /tmp/ready');
    await waitReady(kubectl, 'readiness', namespace);
    await sh('readiness', 'rm /tmp/ready');
    await n('wait pod/readiness --for=condition=Ready=false --timeout=30s');
  });

  test('liveness over HTTP: a container that stops answering is restarted', async () => {
    await pod('liveness', {
      spec: { terminationGracePeriodSeconds: 0 },
      container: {
        command: ['sh', '-c', 'mkdir /w; echo ok > /w/healthz; exec httpd -f -p 8080 -h /w'],
        livenessProbe: {
          httpGet: { path: '/healthz', port: 8080 },
          periodSeconds: 1,
          failureThreshold: 2,
        },
      },
    });
    await waitReady(kubectl, 'liveness', namespace);
    await sh('liveness', 'rm /w/healthz');
    await eventually(async () =>
      expect(await field('liveness', `${status}.restartCount`)).toBe('1'),
    );
    const told = await events('liveness');
    expect(told).toContain(
      'Warning Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 404',
    );
    expect(told).toContain(
      'Normal Killing: Container main failed liveness probe, will be restarted',
    );
  });

  test('startup over TCP holds the others back', async () => {
    await pod('startup', {
      container: {
        command: ['sh', '-c', 'sleep 2; exec httpd -f -p 9000'],
        startupProbe: { tcpSocket: { port: 9000 }, periodSeconds: 1, failureThreshold: 30 },
      },
    });
    await n('wait pod/startup --for=jsonpath={.status.phase}=Running --timeout=30s');
    expect(await field('startup', `${status}.started`)).toBe('false');
    await waitReady(kubectl, 'startup', namespace);
    expect(await field('startup', `${status}.started`)).toBe('true');
  });
});

describe('the end', () => {
  test('preStop runs, then SIGTERM comes, within the grace', async () => {
    await pod('graceful', {
      spec: {
        terminationGracePeriodSeconds: 20,
        volumes: [
          { name: 'd', hostPath: { path: `/tmp/keylet-${namespace}`, type: 'DirectoryOrCreate' } },
        ],
      },
      container: {
        command: ['sh', '-c', 'trap "echo term >> /d/log; exit 0" TERM; sleep 3600 & wait'],
        lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo prestop >> /d/log'] } } },
        volumeMounts: [{ name: 'd', mountPath: '/d' }],
      },
    });
    await waitReady(kubectl, 'graceful', namespace);
    await n('delete pod graceful');
    await pod('reader', {
      spec: { volumes: [{ name: 'd', hostPath: { path: `/tmp/keylet-${namespace}` } }] },
      container: { volumeMounts: [{ name: 'd', mountPath: '/d' }] },
    });
    await waitReady(kubectl, 'reader', namespace);
    expect(await sh('reader', 'cat /d/log')).toBe('prestop\nterm\n');
    await rm(`/tmp/keylet-${namespace}`, { recursive: true });
  });

  test('--force does not wait for a container that will not listen', async () => {
    await pod('stubborn', {
      spec: { terminationGracePeriodSeconds: 300 },
      container: { command: ['sh', '-c', 'trap "" TERM; sleep 3600 & wait; sleep 3600'] },
    });
    await waitReady(kubectl, 'stubborn', namespace);
    await n('delete pod stubborn --wait=false');
    expect(await n('get pod stubborn --no-headers')).toContain('Terminating');
    await n('delete pod stubborn --grace-period=0 --force');
    expect((await kubectl.try(`-n ${namespace} get pod stubborn`)).code).toBe(1);
  });

  test('last words are told, from the file or from the log', async () => {
    await pod('words', {
      spec: { restartPolicy: 'Never' },
      container: { command: ['sh', '-c', 'echo farewell > /dev/termination-log; exit 4'] },
    });
    await pod('log-words', {
      spec: { restartPolicy: 'Never' },
      container: {
        command: ['sh', '-c', 'echo from the log; exit 5'],
        terminationMessagePolicy: 'FallbackToLogsOnError',
      },
    });
    for (const [name, text] of [
      ['words', 'farewell'],
      ['log-words', 'from the log'],
    ] as const) {
      await n(`wait pod/${name} --for=jsonpath={.status.phase}=Failed --timeout=30s`);
      expect((await field(name, `${status}.state.terminated.message`)).trim()).toBe(text);
    }
  });
});

describe('security', () => {
  test('runAsUser, runAsGroup, fsGroup: a 0400 file is its group’s too', async () => {
    await kubectl.apply(secret('owned', { key: 'v' }, { namespace }));
    await pod('ids', {
      spec: {
        securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000 },
        volumes: [{ name: 's', secret: { secretName: 'owned', defaultMode: 0o400 } }],
      },
      container: { volumeMounts: [{ name: 's', mountPath: '/s' }] },
    });
    await waitReady(kubectl, 'ids', namespace);
    expect(await sh('ids', 'id -u; id -g; id -G')).toMatch(/^1000\n2000\n2000 3000\n$/);
    expect(await sh('ids', 'stat -L -c "%a %u %g" /s/key; cat /s/key')).toBe('440 0 3000\nv');
  });

  test('runAsNonRoot refuses an image that runs as root, with the reason', async () => {
    await pod('nonroot', { spec: { securityContext: { runAsNonRoot: true } } });
    await eventually(async () =>
      expect(await field('nonroot', `${status}.state.waiting.reason`)).toBe(
        'CreateContainerConfigError',
      ),
    );
    expect(await field('nonroot', `${status}.state.waiting.message`)).toMatch(
      /^container has runAsNonRoot and image will run as root/,
    );
  });

  test('read-only root, dropped capabilities, no new privileges', async () => {
    await pod('tight', {
      container: {
        securityContext: {
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
        },
      },
    });
    await waitReady(kubectl, 'tight', namespace);
    await expect(sh('tight', 'touch /x')).rejects.toThrow(/Read-only file system/);
    expect(await sh('tight', 'grep -E "CapEff|NoNewPrivs" /proc/1/status')).toMatch(
      /CapEff:\s+0000000000000000\nNoNewPrivs:\s+1/,
    );
  });

  test('limits reach the container’s cgroup and its downward API', async () => {
    await pod('limited', {
      container: {
        resources: { limits: { memory: '64Mi', cpu: '500m' } },
        env: [
          {
            name: 'MEM',
            valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } },
          },
        ],
      },
    });
    await waitReady(kubectl, 'limited', namespace);
    expect(await sh('limited', 'echo $MEM')).toBe('64\n');
    expect(
      await sh(
        'limited',
        'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max',
      ),
    ).toBe(`${64 * 1024 * 1024}\n`);
    expect(await field('limited', '.status.qosClass')).toBe('Guaranteed');
  });
});

describe('what a pod sees', () => {
  test('downward API in variables and files, labels live', async () => {
    await pod('aware', {
      metadata: { labels: { tier: 'one' } },
      spec: {
        volumes: [
          {
            name: 'p',
            downwardAPI: {
              items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }],
            },
          },
        ],
      },
      container: {
        env: [
          { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'BOTH', value: '$(NAME)@$(IP) $$(NAME) $(NONE)' },
        ],
        volumeMounts: [{ name: 'p', mountPath: '/p' }],
      },
    });
    await waitReady(kubectl, 'aware', namespace);
    const ip = await field('aware', '.status.podIP');
    expect(await sh('aware', 'echo "$BOTH"; cat /p/labels')).toBe(
      `aware@${ip} $(NAME) $(NONE)\ntier="one"`,
    );
    await n('label pod aware tier=two --overwrite');
    await eventually(async () => expect(await sh('aware', 'cat /p/labels')).toBe('tier="two"'));
  });

  test('its service account: token, CA and namespace, and where the API is', async () => {
    await pod('account');
    await waitReady(kubectl, 'account', namespace);
    const at = '/var/run/secrets/kubernetes.io/serviceaccount';
    expect(await sh('account', `cat ${at}/namespace`)).toBe(namespace);
    expect(await sh('account', `cat ${at}/ca.crt`)).toContain('BEGIN CERTIFICATE');
    expect((await sh('account', `cat ${at}/token`)).split('.')).toHaveLength(3);
    expect(await sh('account', 'echo $KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT')).toMatch(
      /^10\.\d+\.\d+\.1:\d+\n$/,
    );
    expect(
      await sh(
        'account',
        'nc -w 3 $KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT </dev/null && echo reached',
      ),
    ).toContain('reached');
  });

  test('configMaps as files, emptyDir in memory, hostAliases, hostNetwork', async () => {
    await n('create configmap settings --from-literal=colour=blue');
    await pod('varied', {
      spec: {
        hostAliases: [{ ip: '10.9.8.7', hostnames: ['elsewhere'] }],
        volumes: [
          { name: 'c', configMap: { name: 'settings' } },
          { name: 'm', emptyDir: { medium: 'Memory' } },
        ],
      },
      container: {
        volumeMounts: [
          { name: 'c', mountPath: '/c' },
          { name: 'm', mountPath: '/m' },
        ],
      },
    });
    await pod('on-host', { spec: { hostNetwork: true } });
    await waitReady(kubectl, 'varied', namespace);
    await waitReady(kubectl, 'on-host', namespace);
    expect(
      await sh('varied', 'cat /c/colour; grep elsewhere /etc/hosts; grep " /m " /proc/mounts'),
    ).toMatch(/^blue10\.9\.8\.7\telsewhere\ntmpfs \/m tmpfs/);
    expect(await field('on-host', '.status.podIP')).toBe(await field('on-host', '.status.hostIP'));
  });

  test('a projected volume of several sources; a subPath that stays as it was', async () => {
    await kubectl.apply(secret('parts', { a: 'A1', b: 'B1' }, { namespace }));
    await n('create configmap more --from-literal=c=C1');
    await pod('projects', {
      spec: {
        volumes: [
          {
            name: 'all',
            projected: {
              sources: [
                { secret: { name: 'parts', items: [{ key: 'a', path: 'x/a', mode: 0o400 }] } },
                { configMap: { name: 'more' } },
              ],
            },
          },
          { name: 's', secret: { secretName: 'parts' } },
        ],
      },
      container: {
        volumeMounts: [
          { name: 'all', mountPath: '/all' },
          { name: 's', mountPath: '/b', subPath: 'b' },
          { name: 's', mountPath: '/s' },
        ],
      },
    });
    await waitReady(kubectl, 'projects', namespace);
    expect(await sh('projects', 'cat /all/x/a /all/c /b; stat -L -c %a /all/x/a')).toBe(
      'A1C1B1400\n',
    );
    await kubectl.apply(secret('parts', { a: 'A2', b: 'B2' }, { namespace }));
    await eventually(async () => expect(await sh('projects', 'cat /all/x/a /s/b')).toBe('A2B2'));
    expect(await sh('projects', 'cat /b')).toBe('B1');
  });

  test('an optional secret may come later; one that is deleted leaves the files as they were', async () => {
    await kubectl.apply(
      secretVolumePod('patient', 'sometime', { namespace, source: { optional: true } }),
    );
    await waitReady(kubectl, 'patient', namespace);
    expect(await sh('patient', 'ls /etc/foo')).toBe('');
    await kubectl.apply(secret('sometime', { k: 'v' }, { namespace }));
    await eventually(async () => expect(await sh('patient', 'cat /etc/foo/k')).toBe('v'));
    await kubectl.apply(
      secret('needed', { k: 'v' }, { namespace }),
      secretVolumePod('keeps', 'needed', { namespace }),
    );
    await waitReady(kubectl, 'keeps', namespace);
    await n('delete secret needed');
    expect(await sh('keeps', 'cat /etc/foo/k')).toBe('v');
    await kubectl.apply(secret('needed', { k: 'again' }, { namespace }));
    await eventually(async () => expect(await sh('keeps', 'cat /etc/foo/k')).toBe('again'));
  });
});

describe('images', () => {
  test('Never: an image that is not here is not pulled', async () => {
    await pod('never', { container: { image: 'absent', imagePullPolicy: 'Never' } });
    await eventually(async () =>
      expect(await field('never', `${status}.state.waiting.reason`)).toBe('ErrImageNeverPull'),
    );
    expect(await events('never')).toContain(
      'Warning ErrImageNeverPull: Container image "absent" is not present with pull policy of Never',
    );
  });

  test('one that does not exist: ErrImagePull, then ImagePullBackOff', async () => {
    await pod('nowhere', { container: { image: 'no-such-image' } });
    await eventually(async () =>
      expect(await field('nowhere', `${status}.state.waiting.reason`)).toBe('ImagePullBackOff'),
    );
    const told = await events('nowhere');
    expect(told).toContain(
      'Warning Failed: Failed to pull image "no-such-image": rpc error: code = NotFound',
    );
    expect(told).toContain('Warning Failed: Error: ErrImagePull');
    expect(told).toContain('Normal BackOff: Back-off pulling image "no-such-image"');
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { asToken } from '../support/as-token.ts';
import { eventually } from '../support/eventually.ts';
import { kubectlPath } from '../support/kubectl.ts';
import {
  busyboxContainer,
  busyboxPod,
  secret,
  secretVolumePod,
  waitReady,
} from '../support/pods.ts';
import { freshNamespace, sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();

describe('kubectl on secrets', () => {
  let namespace: string;
  beforeAll(async () => {
    namespace = await freshNamespace(kubectl, 'kubectl-secrets');
    return () => kubectl(`delete namespace ${namespace}`);
  });
  const n = (line: string, more: readonly string[] = [], input?: string): Promise<string> =>
    kubectl(`-n ${namespace} ${line}`, more, input === undefined ? {} : { input });

  test('create secret generic from literals, files and an env file', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'keylet-files-'));
    try {
      await writeFile(path.join(folder, 'username.txt'), 'admin');
      await writeFile(path.join(folder, 'vars.env'), 'A=1\n# comment\nB=two words\n');
      expect(await n('create secret generic lit --from-literal=a=b')).toBe('secret/lit created');
      expect(await n(`create secret generic fil --from-file=${folder}/username.txt`)).toBe(
        'secret/fil created',
      );
      expect(await n(`create secret generic env --from-env-file=${folder}/vars.env`)).toBe(
        'secret/env created',
      );
    } finally {
      await rm(folder, { recursive: true });
    }
    expect(await n('get secret fil -o', ['jsonpath={.data.username\\.txt}'])).toBe('YWRtaW4=');
    expect(await n('get secret env -o', ['jsonpath={.data}'])).toBe(
      '{"A":"MQ==","B":"dHdvIHdvcmRz"}',
    );
  });

  test('creating one again fails as against a real cluster', async () => {
    const { code, stderr } = await kubectl.try(`-n ${namespace} create secret generic lit`);
    expect(code).toBe(1);
    expect(stderr).toBe('error: failed to create secret secrets "lit" already exists\n');
  });

  test('get prints the columns, describe shows sizes and never values', async () => {
    expect(await n('get secret lit')).toMatch(/^NAME +TYPE +DATA +AGE\nlit +Opaque +1 +\d+s$/);
    const described = await n('describe secret lit');
    expect(described).toMatch(/Type: +Opaque\n\nData\n====\na: +1 bytes/);
  });

  test('get in every output form', async () => {
    expect(await n('get secret lit -o name')).toBe('secret/lit');
    expect(await n('get secret lit -o yaml')).toMatch(
      /^apiVersion: v1\ndata:\n {2}a: Yg==\nkind: Secret/,
    );
    expect(JSON.parse(await n('get secret lit -o json'))).toMatchObject({
      kind: 'Secret',
      type: 'Opaque',
    });
    expect(await n('get secret lit -o', ['custom-columns=N:.metadata.name,T:.type'])).toMatch(
      /^N +T\nlit +Opaque$/,
    );
    expect(await n('get secrets --all-namespaces')).toContain(namespace);
    expect(await n('get secrets --field-selector', ['type=kubernetes.io/tls'])).toBe('');
  });

  test('label, annotate, and selectors', async () => {
    expect(await n('label secret lit tier=db')).toBe('secret/lit labeled');
    expect(await n('annotate secret lit note=x')).toBe('secret/lit annotated');
    expect(await n('get secrets -l tier=db -o name')).toBe('secret/lit');
    expect(await n('get secrets -o name -l', ['tier notin (db)'])).not.toContain('secret/lit');
  });

  test('apply creates, configures and leaves unchanged', async () => {
    const manifest = (value: string): string =>
      JSON.stringify(secret('applied', { k: value }, { namespace }));
    expect(await n('apply -f -', [], manifest('1'))).toBe('secret/applied created');
    expect(await n('apply -f -', [], manifest('2'))).toBe('secret/applied configured');
    const plain = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cm', namespace },
      data: { a: 'b' },
    });
    expect(await n('apply -f -', [], plain)).toBe('configmap/cm created');
    expect(await n('apply -f -', [], plain)).toBe('configmap/cm unchanged');
  });

  test('patch in its three forms, replace and edit', async () => {
    expect(
      await n('patch secret lit --type=json -p', [
        '[{"op":"add","path":"/data/c","value":"ZA=="}]',
      ]),
    ).toBe('secret/lit patched');
    expect(await n('patch secret lit --type=merge -p', ['{"data":{"a":null}}'])).toBe(
      'secret/lit patched',
    );
    expect(await n('patch secret lit -p', ['{"metadata":{"labels":{"x":"y"}}}'])).toBe(
      'secret/lit patched',
    );
    expect(await n('patch secret lit -p', ['{"metadata":{"labels":{"x":"y"}}}'])).toBe(
      'secret/lit patched (no change)',
    );
    expect(await n('get secret lit -o', ['jsonpath={.data}'])).toBe('{"c":"ZA=="}');
    expect(
      await n('replace -f -', [], JSON.stringify(secret('lit', { z: '1' }, { namespace }))),
    ).toBe('secret/lit replaced');
    const { code, stdout } = await kubectl.try(`-n ${namespace} edit secret lit`, [], {
      env: { KUBE_EDITOR: 'sed -i s/MQ==/Mg==/' },
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'secret/lit edited\n' });
    expect(await n('get secret lit -o', ['jsonpath={.data}'])).toBe('{"z":"Mg=="}');
  });

  test('docker-registry and tls secrets', async () => {
    await n('create secret docker-registry reg', [
      '--docker-server=registry.example.com',
      '--docker-username=u',
      '--docker-password=p',
    ]);
    expect(await n('get secret reg -o jsonpath={.type}')).toBe('kubernetes.io/dockerconfigjson');
    expect(
      await n('get secrets --field-selector type=kubernetes.io/dockerconfigjson -o name'),
    ).toBe('secret/reg');
  });

  test('a stale resourceVersion is a conflict', async () => {
    const old = JSON.parse(await n('get secret lit -o json')) as { data: object };
    await n('label secret lit moved=on');
    old.data = { lost: 'eA==' };
    const { code, stderr } = await kubectl.try(`-n ${namespace} replace -f -`, [], {
      input: JSON.stringify(old),
    });
    expect(code).toBe(1);
    expect(stderr).toContain(
      'Operation cannot be fulfilled on secrets "lit": the object has been modified; please apply your changes to the latest version and try again',
    );
  });

  test('dry run on the server changes nothing', async () => {
    expect(await n('create secret generic dry --from-literal=a=b --dry-run=server')).toBe(
      'secret/dry created (server dry run)',
    );
    expect((await kubectl.try(`-n ${namespace} get secret dry`)).stderr).toBe(
      'Error from server (NotFound): secrets "dry" not found\n',
    );
  });

  test('delete says so, and is final', async () => {
    expect(await n('delete secret reg')).toBe('secret "reg" deleted');
    expect((await kubectl.try(`-n ${namespace} delete secret reg`)).code).toBe(1);
  });

  test('-w prints a change as it happens', async () => {
    const child = spawn(
      await kubectlPath(),
      ['--kubeconfig', kubectl.kubeconfig, '-n', namespace, 'get', 'secrets', '-w', '-o', 'name'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let seen = '';
    child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    await eventually(() => seen.includes('secret/lit'));
    await n('create secret generic watched');
    await eventually(() => seen.includes('secret/watched'));
    child.kill();
    await once(child, 'close');
  });
});

describe('kubectl on pods', () => {
  let namespace: string;
  beforeAll(async () => {
    namespace = await freshNamespace(kubectl, 'kubectl-pods');
    await kubectl.apply(
      secret('s', { user: 'admin' }, { namespace }),
      secretVolumePod('web', 's', { namespace }),
      busyboxPod('talker', {
        namespace,
        container: {
          command: [
            'sh',
            '-c',
            'echo first; echo second; mkdir /www; echo hello > /www/index.html; exec httpd -f -p 8080 -h /www',
          ],
        },
      }),
      busyboxPod('steps', {
        namespace,
        spec: {
          restartPolicy: 'Never',
          initContainers: [busyboxContainer('init', { command: ['sh', '-c', 'echo prepared'] })],
          containers: [busyboxContainer('main', { command: ['sh', '-c', 'echo done; exit 3'] })],
        },
      }),
    );
    await waitReady(kubectl, 'web', namespace);
    await waitReady(kubectl, 'talker', namespace);
    return () => kubectl(`delete namespace ${namespace}`);
  });
  const n = (line: string, more: readonly string[] = []): Promise<string> =>
    kubectl(`-n ${namespace} ${line}`, more);

  test('get pods prints the columns; -o wide the address and the node', async () => {
    expect(await n('get pod web')).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE\nweb +1\/1 +Running +0 +\d+s$/,
    );
    expect(await n('get pod web -o wide')).toMatch(/web .* 10\.\d+\.\d+\.\d+ /);
  });

  test('a pod that failed shows its exit code and phase', async () => {
    await n('wait pod/steps --for=jsonpath={.status.phase}=Failed --timeout=60s');
    expect(await n('get pod steps --no-headers')).toMatch(/^steps +0\/1 +Error +0 /);
    expect(
      await n('get pod steps -o jsonpath={.status.containerStatuses[0].state.terminated.exitCode}'),
    ).toBe('3');
    expect(await n('logs steps -c init')).toBe('prepared');
    expect(await n('logs steps')).toBe('done');
  });

  test('describe pod reads as against a real cluster', async () => {
    const text = await n('describe pod web');
    expect(text).toMatch(
      /Type: +Secret \(a volume populated by a Secret\)\n +SecretName: +s\n +Optional: +false/,
    );
    for (const line of [
      /Normal +Scheduled .* default-scheduler +Successfully assigned .*\/web to /,
      /Normal +Created .* kubelet +Created container:? main/,
      /Normal +Started .* kubelet +Started container main/,
    ]) {
      expect(text).toMatch(line);
    }
  });

  test('logs: all, tail, timestamps, follow', async () => {
    expect(await n('logs talker')).toBe('first\nsecond');
    expect(await n('logs talker --tail=1')).toBe('second');
    expect(await n('logs talker --timestamps')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z first\n/);
    await kubectl.apply(
      busyboxPod('counts', {
        namespace,
        spec: { restartPolicy: 'Never' },
        container: { command: ['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.2; done'] },
      }),
    );
    await n('wait pod/counts --timeout=60s', ['--for=jsonpath={.status.startTime}']);
    await eventually(async () => expect(await n('logs counts -f')).toBe('1\n2\n3'));
  });

  test('exec carries output, exit code and standard input', async () => {
    expect(await n('exec web -- cat /etc/foo/user')).toBe('admin');
    expect((await kubectl.try(`-n ${namespace} exec web -- sh -c`, ['exit 7'])).code).toBe(7);
    expect(
      await kubectl(`-n ${namespace} exec -i web -- cat`, [], { input: 'through and through\n' }),
    ).toBe('through and through');
  });

  test('cp copies both ways', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'keylet-cp-'));
    try {
      await writeFile(path.join(folder, 'there'), 'x'.repeat(200_000));
      await n(`cp ${folder}/there web:/tmp/there`);
      await n(`cp web:/tmp/there ${folder}/back`);
      expect(await readFile(path.join(folder, 'back'), 'utf8')).toBe('x'.repeat(200_000));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('port-forward reaches the container', async () => {
    const child = spawn(
      await kubectlPath(),
      ['--kubeconfig', kubectl.kubeconfig, '-n', namespace, 'port-forward', 'pod/talker', ':8080'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const port = await eventually(() => {
        const found = /127\.0\.0\.1:(\d+) -> 8080/.exec(text)?.[1];
        return found === undefined ? false : Number(found);
      });
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      socket.on('data', chunk => (answer += chunk.toString()));
      socket.write('GET / HTTP/1.0\r\n\r\n');
      await once(socket, 'close');
      expect(answer).toMatch(/hello\n$/);
    } finally {
      child.kill();
      await once(child, 'close');
    }
  });

  test('logs of and exec into what waits say what it waits for', async () => {
    await kubectl.apply(
      busyboxPod('keyless', {
        namespace,
        container: {
          env: [{ name: 'K', valueFrom: { secretKeyRef: { name: 's', key: 'none' } } }],
        },
      }),
      busyboxPod('imageless', { namespace, container: { image: 'docker.io/library/none:1' } }),
    );
    const refusal = async (line: string): Promise<string> => {
      const { code, stderr } = await kubectl.try(`-n ${namespace} ${line}`);
      expect(code).toBe(1);
      return stderr.trim();
    };
    const waits = (pod: string): string =>
      `Error from server (BadRequest): container "main" in pod "${pod}" is waiting to start: `;
    await eventually(async () => {
      expect(await refusal('logs keyless')).toBe(`${waits('keyless')}CreateContainerConfigError`);
      expect(await refusal('logs imageless')).toBe(
        `${waits('imageless')}trying and failing to pull image`,
      );
    });
    expect(await refusal('exec keyless -- true')).toBe(
      'error: unable to upgrade connection: container not found ("main")',
    );
    await n('delete pod keyless imageless --grace-period=0 --force');
  });

  test('logs --previous of what waits for its next run is its last', async () => {
    await kubectl.apply(
      busyboxPod('crashes', {
        namespace,
        container: { command: ['sh', '-c', 'cat /proc/sys/kernel/random/uuid; exit 1'] },
      }),
    );
    await eventually(async () =>
      expect(await n('get pod crashes --no-headers')).toMatch(/^crashes +0\/1 +CrashLoopBackOff /),
    );
    expect(await n('logs crashes --previous')).toBe(await n('logs crashes'));
    await n('delete pod crashes --grace-period=0 --force');
  });

  test('get events and describe list what happened as it happened', async () => {
    const reasons = ['Scheduled', 'Pulled', 'Created', 'Started'];
    const listed = await n('get events --field-selector involvedObject.name=web --no-headers -o', [
      'custom-columns=R:.reason',
    ]);
    expect(listed.split('\n').filter(each => reasons.includes(each))).toEqual(reasons);
    const described = (await n('describe pod web')).split('Events:')[1] ?? '';
    const inOrder = new RegExp(reasons.join('[\\s\\S]*'));
    expect(described).toMatch(inOrder);
  });

  test('events and get events list the same, newest last', async () => {
    expect(await n('get events --field-selector involvedObject.name=web')).toMatch(
      /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/,
    );
    expect(await n('events --for pod/web')).toContain('Started container main');
  });

  test('delete ends the container and waits for it', async () => {
    expect(await n('delete pod counts')).toBe('pod "counts" deleted');
    expect((await kubectl.try(`-n ${namespace} get pod counts`)).code).toBe(1);
  });
});

describe('kubectl on the server', () => {
  test('version, cluster-info, api-resources, explain', async () => {
    expect(await kubectl('version')).toMatch(/Server Version: v1\.\d+\.\d+/);
    expect(await kubectl('cluster-info')).toContain('is running at');
    const resources = await kubectl('api-resources');
    for (const line of [
      /^secrets +v1 +true +Secret$/m,
      /^pods +po +v1 +true +Pod$/m,
      /^leases +coordination.k8s.io\/v1 +true +Lease$/m,
    ]) {
      expect(resources).toMatch(line);
    }
    expect(await kubectl('explain secret.immutable')).toMatch(/FIELD: immutable <boolean>/);
    expect(await kubectl('explain pod.spec.containers.env')).toMatch(/valueFrom\s+<EnvVarSource>/);
  });

  test('nodes: one, Ready', async () => {
    expect(await kubectl('get nodes --no-headers')).toMatch(/^\S+ +Ready +<none>|control-plane/);
    expect(await kubectl('describe node')).toMatch(/KubeletReady/);
  });

  test('create token gives a token that the API accepts', async () => {
    const token = await kubectl('create token default');
    expect(token.split('.')).toHaveLength(3);
    const whoami = await (await asToken(kubectl, token))('auth whoami');
    expect(whoami).toMatch(/^Username +system:serviceaccount:default:default$/m);
  });

  test('auth can-i', async () => {
    expect(await kubectl('auth can-i get secrets')).toBe('yes');
  });
});

import assert from 'node:assert/strict';
import type { ContainerStatus } from './container-runtime.ts';
import { RuntimeError, type RuntimeErrorCode } from './runtime-error.ts';
import type { RuntimeEvent } from './runtime-monitor.ts';
import type { Runtime } from './runtime.ts';
import type { PodSandboxConfig } from './sandbox-runtime.ts';

/** A runtime with one pod's worth of names that nothing else uses. */
export interface RuntimeUnderTest {
  readonly runtime: Runtime;
  readonly podUid: string;
  /** It can be pulled, and has a shell. */
  readonly image: string;
  /** What a container of this suite runs: it ends when `exit` asks for it, and with 0 at SIGTERM. */
  readonly command: string[];
  exit(containerId: string, exitCode: number): Promise<void>;
}

/** What every adapter of the runtime port has to do. Needs no test runner: `run` rejects where it fails. */
export interface RuntimeConformanceCase {
  readonly name: string;
  readonly run: (test: RuntimeUnderTest) => Promise<void>;
}

const sandboxConfigOf = (podUid: string, more: Partial<PodSandboxConfig> = {}) => ({
  metadata: { name: podUid, namespace: 'conformance', uid: podUid, attempt: 0 },
  hostname: 'conformance',
  logDirectory: `/var/log/pods/conformance_${podUid}_${podUid}`,
  labels: { 'io.kubernetes.pod.uid': podUid },
  annotations: { note: 'kept' },
  linux: { securityContext: { namespaceOptions: {} } },
  ...more,
});

async function runContainer(
  { runtime, podUid, image, command }: RuntimeUnderTest,
  { start = true } = {},
): Promise<{ sandboxId: string; id: string }> {
  const config = sandboxConfigOf(podUid);
  const sandboxId = await runtime.runPodSandbox(config);
  const imageRef = await runtime.pullImage(image);
  const id = await runtime.createContainer(
    sandboxId,
    {
      metadata: { name: 'c', attempt: 2 },
      image: imageRef,
      command,
      envs: [],
      mounts: [],
      labels: { 'io.kubernetes.pod.uid': podUid, 'io.kubernetes.container.name': 'c' },
      annotations: { 'io.kubernetes.container.hash': 'abc' },
      logPath: 'c/2.log',
      linux: { securityContext: { namespaceOptions: {} } },
    },
    config,
  );
  if (start) await runtime.startContainer(id);
  return { sandboxId, id };
}

/** Collects what a runtime reports; `until` resolves when an event has come. */
function collectEvents(runtime: Runtime) {
  const stop = new AbortController();
  const events: RuntimeEvent[] = [];
  const waiting = new Set<() => void>();
  runtime.watch(event => {
    events.push(event);
    for (const look of waiting) look();
  }, stop.signal);
  const until = (is: (event: RuntimeEvent) => boolean): Promise<void> =>
    new Promise(resolve => {
      const look = (): void => {
        if (!events.some(is)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { events, until, stop: () => stop.abort() };
}

const isEvent = (type: RuntimeEvent['type'], id: string) => (event: RuntimeEvent) =>
  event.type === type && 'containerId' in event && event.containerId === id;

/** Runs until the runtime has recorded that the container ended. */
async function exited(
  { runtime, exit }: RuntimeUnderTest,
  id: string,
  code: number,
): Promise<ContainerStatus> {
  const { until, stop } = collectEvents(runtime);
  await until(({ type }) => type === 'resync');
  await exit(id, code);
  await until(isEvent('container-exited', id));
  stop();
  return runtime.containerStatus(id);
}

const rejectsWith = (promise: Promise<unknown>, code: RuntimeErrorCode): Promise<void> =>
  assert.rejects(promise, error => {
    assert.ok(error instanceof RuntimeError);
    assert.equal(error.code, code);
    assert.match(error.message, /^rpc error: code = \w+ desc = ./);
    return true;
  });

export const runtimeConformance: readonly RuntimeConformanceCase[] = [
  {
    name: 'it says what it is, and that it is ready',
    async run({ runtime }) {
      const { runtimeName, runtimeVersion } = await runtime.version();
      assert.notEqual(runtimeName, '');
      assert.notEqual(runtimeVersion, '');
      const conditions = await runtime.status();
      assert.deepEqual(
        conditions.map(({ type, status }) => [type, status]),
        [
          ['RuntimeReady', true],
          ['NetworkReady', true],
        ],
      );
      assert.equal(typeof (await runtime.features()).recursiveReadOnlyMounts, 'boolean');
    },
  },
  {
    name: 'a sandbox has what it was made with, and an address',
    async run({ runtime, podUid }) {
      const config = sandboxConfigOf(podUid);
      const id = await runtime.runPodSandbox(config);
      const { metadata, state, ips, networkMode, annotations } = await runtime.podSandboxStatus(id);
      assert.deepEqual(metadata, config.metadata);
      assert.equal(state, 'SANDBOX_READY');
      assert.equal(networkMode, 'POD');
      assert.equal(annotations['note'], 'kept');
      assert.match(ips[0] ?? '', /^\d+\.\d+\.\d+\.\d+$/);
      const listed = await runtime.listPodSandboxes({ podUid });
      assert.deepEqual(
        listed.map(each => [each.id, each.state, each.metadata.uid]),
        [[id, 'SANDBOX_READY', podUid]],
      );
      assert.deepEqual(await runtime.listPodSandboxes({ podUid: 'nobody' }), []);
      assert.ok((await runtime.listPodSandboxes()).some(each => each.id === id));
    },
  },
  {
    name: 'a sandbox that shares the network of the node has no address of its own',
    async run({ runtime, podUid }) {
      const linux = { securityContext: { namespaceOptions: { network: 'NODE' as const } } };
      const id = await runtime.runPodSandbox(sandboxConfigOf(podUid, { hostname: '', linux }));
      const { ips, networkMode } = await runtime.podSandboxStatus(id);
      assert.deepEqual(ips, []);
      assert.equal(networkMode, 'NODE');
    },
  },
  {
    name: 'the host ports of a sandbox are known',
    async run({ runtime, podUid }) {
      const port = { protocol: 'TCP', containerPort: 80, hostPort: 38_181, hostIp: '' } as const;
      const id = await runtime.runPodSandbox(sandboxConfigOf(podUid, { portMappings: [port] }));
      assert.deepEqual(await runtime.sandboxHostPorts(id), [{ protocol: 'TCP', hostPort: 38_181 }]);
    },
  },
  {
    name: 'a sandbox is stopped and removed, and both can be asked for again',
    async run({ runtime, podUid }) {
      const id = await runtime.runPodSandbox(sandboxConfigOf(podUid));
      await runtime.stopPodSandbox(id);
      await runtime.stopPodSandbox(id);
      assert.equal((await runtime.podSandboxStatus(id)).state, 'SANDBOX_NOTREADY');
      await runtime.removePodSandbox(id);
      await runtime.removePodSandbox(id);
      await rejectsWith(runtime.podSandboxStatus(id), 'not-found');
      assert.deepEqual(await runtime.listPodSandboxes({ podUid }), []);
    },
  },
  {
    name: 'a container is created, and runs once it is started',
    async run(test) {
      const { runtime, podUid } = test;
      const { sandboxId, id } = await runContainer(test, { start: false });
      const created = await runtime.containerStatus(id);
      assert.equal(created.state, 'CONTAINER_CREATED');
      assert.equal(created.startedAt, 0n);
      assert.deepEqual(created.metadata, { name: 'c', attempt: 2 });
      assert.equal(created.annotations['io.kubernetes.container.hash'], 'abc');
      assert.equal(created.logPath, `/var/log/pods/conformance_${podUid}_${podUid}/c/2.log`);
      await runtime.startContainer(id);
      const running = await runtime.containerStatus(id);
      assert.equal(running.state, 'CONTAINER_RUNNING');
      assert.ok(running.startedAt >= created.createdAt);
      assert.equal(running.finishedAt, 0n);
      for (const filter of [{ podUid }, { podSandboxId: sandboxId }, {}]) {
        const found = (await runtime.listContainers(filter)).filter(each => each.id === id);
        assert.deepEqual(
          found.map(each => [each.podSandboxId, each.state]),
          [[sandboxId, 'CONTAINER_RUNNING']],
        );
      }
      assert.deepEqual(await runtime.listContainers({ podUid: 'nobody' }), []);
      await assert.rejects(runtime.startContainer(id), RuntimeError);
    },
  },
  {
    name: 'a container that ended says how',
    async run(test) {
      const { id } = await runContainer(test);
      const { state, exitCode, reason, startedAt, finishedAt } = await exited(test, id, 3);
      assert.deepEqual([state, exitCode, reason], ['CONTAINER_EXITED', 3, 'Error']);
      assert.ok(finishedAt >= startedAt);
    },
  },
  {
    name: 'a container that succeeded is completed',
    async run(test) {
      const { id } = await runContainer(test);
      const { exitCode, reason } = await exited(test, id, 0);
      assert.deepEqual([exitCode, reason], [0, 'Completed']);
    },
  },
  {
    name: 'a container is stopped, gracefully where there is time, and can be stopped again',
    async run(test) {
      const { runtime } = test;
      const { id } = await runContainer(test);
      await runtime.stopContainer(id, 30);
      const { state, exitCode } = await runtime.containerStatus(id);
      assert.deepEqual([state, exitCode], ['CONTAINER_EXITED', 0]);
      await runtime.stopContainer(id, 30);
    },
  },
  {
    name: 'a container that gets no time is killed',
    async run(test) {
      const { runtime } = test;
      const { id } = await runContainer(test);
      await runtime.stopContainer(id, 0);
      assert.equal((await runtime.containerStatus(id)).exitCode, 137);
    },
  },
  {
    name: 'a container is removed, running or not, and can be removed again',
    async run(test) {
      const { runtime, podUid } = test;
      const { id } = await runContainer(test);
      await runtime.removeContainer(id);
      await runtime.removeContainer(id);
      await rejectsWith(runtime.containerStatus(id), 'not-found');
      assert.deepEqual(await runtime.listContainers({ podUid }), []);
    },
  },
  {
    name: 'the end of a sandbox is the end of its containers',
    async run(test) {
      const { runtime, podUid } = test;
      const { sandboxId, id } = await runContainer(test);
      await runtime.stopPodSandbox(sandboxId);
      assert.equal((await runtime.containerStatus(id)).state, 'CONTAINER_EXITED');
      await runtime.removePodSandbox(sandboxId);
      assert.deepEqual(await runtime.listContainers({ podUid }), []);
    },
  },
  {
    name: 'an unknown container or sandbox is not found, and need not be stopped or removed',
    async run({ runtime, podUid, image }) {
      const config = sandboxConfigOf(podUid);
      const imageRef = await runtime.pullImage(image);
      const container = {
        metadata: { name: 'c', attempt: 0 },
        image: imageRef,
        envs: [],
        mounts: [],
        labels: {},
        annotations: {},
        logPath: '',
        linux: { securityContext: { namespaceOptions: {} } },
      };
      await rejectsWith(runtime.containerStatus('none'), 'not-found');
      await rejectsWith(runtime.startContainer('none'), 'not-found');
      await rejectsWith(runtime.podSandboxStatus('none'), 'not-found');
      await rejectsWith(runtime.createContainer('none', container, config), 'not-found');
      await rejectsWith(runtime.execSync('none', ['true'], 1), 'not-found');
      const streams = { tty: false, stdin: false, stdout: true, stderr: true };
      const request = { containerId: 'none', command: ['true'], ...streams };
      await rejectsWith(runtime.exec(request), 'not-found');
      await runtime.stopContainer('none', 0);
      await runtime.removeContainer('none');
      await runtime.stopPodSandbox('none');
      await runtime.removePodSandbox('none');
    },
  },
  {
    name: 'events: first resync, then what happens to a container; none after the end of the watch',
    async run(test) {
      const { runtime } = test;
      const { events, until, stop } = collectEvents(runtime);
      await until(({ type }) => type === 'resync');
      assert.equal(events[0]?.type, 'resync');
      const { id } = await runContainer(test);
      await until(isEvent('container-started', id));
      await test.exit(id, 0);
      await until(isEvent('container-exited', id));
      // By the time of the event the runtime knows of it.
      assert.equal((await runtime.containerStatus(id)).state, 'CONTAINER_EXITED');
      await runtime.removeContainer(id);
      await until(isEvent('container-deleted', id));
      stop();
      const seen = events.length;
      const other = collectEvents(runtime);
      await other.until(({ type }) => type === 'resync');
      assert.equal(events.length, seen);
      other.stop();
    },
  },
  {
    name: 'a command in a container: its output and exit code',
    async run(test) {
      const { id } = await runContainer(test);
      const script = 'echo out; echo err >&2; exit 3';
      const result = await test.runtime.execSync(id, ['sh', '-c', script], 10);
      assert.deepEqual(
        [result.stdout.toString(), result.stderr.toString(), result.exitCode],
        ['out\n', 'err\n', 3],
      );
    },
  },
  {
    name: 'exec, attach and port-forward are answered with a URL',
    async run(test) {
      const { runtime } = test;
      const { sandboxId, id } = await runContainer(test);
      const streams = { tty: false, stdin: false, stdout: true, stderr: true };
      const urls = [
        await runtime.exec({ containerId: id, command: ['true'], ...streams }),
        await runtime.attach({ containerId: id, ...streams }),
        await runtime.portForward(sandboxId, [80]),
      ];
      for (const url of urls) assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/\w+\/\S+$/);
      assert.equal(new Set(urls).size, 3);
    },
  },
  {
    name: 'a pulled image is present until it is removed',
    async run({ runtime, image }) {
      await runtime.removeImage(image);
      assert.equal(await runtime.imageStatus(image), undefined);
      const imageRef = await runtime.pullImage(image);
      const status = await runtime.imageStatus(image);
      assert.deepEqual(await runtime.imageStatus(imageRef), status);
      assert.ok(status !== undefined && status.size > 0);
      assert.ok((await runtime.listImages()).some(({ id }) => id === status.id));
      await runtime.removeImage(image);
      await runtime.removeImage(image);
      assert.equal(await runtime.imageStatus(image), undefined);
    },
  },
];

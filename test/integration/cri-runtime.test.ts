import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { podNetwork } from '../../src/cli/pod-network.ts';
import { runtimeConformance } from '../../src/node/runtime/conformance.ts';
import {
  startManagedContainerd,
  type ManagedContainerd,
} from '../../src/node/runtime/containerd/managed-containerd.ts';
import { connectCri } from '../../src/node/runtime/cri/connect-cri.ts';
import type { Runtime } from '../../src/node/runtime/runtime.ts';
import { serveImages, type ServedImages } from '../support/serve-images.ts';

/** A shell that ends with the code that it finds in a file, and with 0 at SIGTERM. */
const script =
  'trap "exit 0" TERM; until [ -f /tmp/exit ]; do sleep 0.02; done; exit $(cat /tmp/exit)';
const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

let folder: string;
let images: ServedImages;
let containerd: ManagedContainerd;
let runtime: Runtime;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keylet-cri-'));
  images = await serveImages(['busybox']);
  containerd = await startManagedContainerd({
    dataDir: folder,
    podNetwork: await podNetwork(folder, undefined),
    registryHostsDir: images.hostsDir,
    log,
  });
  runtime = connectCri({ endpoint: containerd.endpoint, log });
});

afterAll(async () => {
  await runtime?.close();
  await containerd?.close();
  await containerd?.cleanUp();
  await images?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the CRI adapter with containerd', () => {
  test.each(runtimeConformance)('$name', async ({ run }) => {
    const podUid = randomUUID();
    try {
      await run({
        runtime,
        podUid,
        image: 'docker.io/library/busybox:latest',
        command: ['sh', '-c', script],
        async exit(id, exitCode) {
          const write = `echo ${exitCode} > /tmp/exit.next && mv /tmp/exit.next /tmp/exit`;
          await runtime.execSync(id, ['sh', '-c', write], 10);
        },
      });
    } finally {
      for (const { id } of await runtime.listPodSandboxes({ podUid })) {
        await runtime.stopPodSandbox(id);
        await runtime.removePodSandbox(id);
      }
      await rm(`/var/log/pods/conformance_${podUid}_${podUid}`, { recursive: true, force: true });
    }
  });
});

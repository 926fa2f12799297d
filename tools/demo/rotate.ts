import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { podResource } from '../../src/api/core/v1/pod.ts';
import { secretResource } from '../../src/api/core/v1/secret.ts';
import { createClient } from '../../src/client/http-client.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import type { Keylet } from '../../test/support/keylet.ts';

/**
 * Writes a new value and waits until the file that the container has mounted shows it.
 * @returns milliseconds from the request to the file
 */
export async function rotate(
  keylet: Keylet,
  what: {
    namespace: string;
    secret: string;
    pod: string;
    volume: string;
    key: string;
    value: string;
  },
): Promise<number> {
  const client = createClient(await loadKubeconfig(keylet.kubeconfig));
  try {
    const pod = await client.resource(podResource).get(what.namespace, what.pod);
    // The folder that is bound into the container: the same files, without a process in between.
    const file = path.join(
      keylet.dataDir,
      `pods/${pod.metadata.uid}/volumes/kubernetes.io~secret/${what.volume}/${what.key}`,
    );
    const startedAt = performance.now();
    const patch = { stringData: { [what.key]: what.value } };
    const written = client
      .resource(secretResource)
      .patch(what.namespace, what.secret, 'merge', patch);
    while ((await readFile(file, 'utf8')) !== what.value) {
      if (performance.now() - startedAt > 60_000) throw new Error('the new value did not arrive');
    }
    const tookMs = performance.now() - startedAt;
    await written;
    return tookMs;
  } finally {
    await client.close();
  }
}

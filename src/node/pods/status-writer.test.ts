import { expect, test } from 'vitest';
import type { Pod, PodStatus } from '../../api/core/v1/pod.ts';
import { createStatusWriter } from './status-writer.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'u' },
  spec: { containers: [] },
};
const ignore = (): void => undefined;
const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

test.each([0, 1, 2, 3, 4, 5, 6, 7])(
  'flush() waits for a status that comes %i turns after the one before was written',
  async turns => {
    const written: PodStatus['phase'][] = [];
    let release = (): void => undefined;
    const writer = createStatusWriter(
      {
        patch(_namespace, _name, _type, body) {
          written.push((body as { status: PodStatus }).status.phase);
          return new Promise(resolve => (release = () => resolve(pod)));
        },
        delete: () => Promise.resolve(),
      },
      log,
    );
    writer.write(pod, { phase: 'Running' });
    release();
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    writer.write(pod, { phase: 'Succeeded' });
    const flushed = writer.flush();
    // Whenever the second patch is made, it is answered.
    for (let turn = 0; turn < 20; turn += 1) {
      await Promise.resolve();
      release();
    }
    await flushed;
    expect(written).toEqual(['Running', 'Succeeded']);
  },
);

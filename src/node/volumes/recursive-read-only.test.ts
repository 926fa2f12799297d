import { expect, test } from 'vitest';
import type { VolumeMount } from '../../api/core/v1/pod.ts';
import { isRecursiveReadOnly } from './recursive-read-only.ts';

const mount = (more: Partial<VolumeMount>): VolumeMount => ({
  name: 'v',
  mountPath: '/m',
  ...more,
});
const text =
  'failed to resolve recursive read-only mode: volume "v" requested recursive read-only mode, but it is not';

test.each([
  [{}, true, false],
  [{ recursiveReadOnly: 'Disabled', readOnly: true }, true, false],
  [{ recursiveReadOnly: 'IfPossible', readOnly: true }, true, true],
  [{ recursiveReadOnly: 'IfPossible', readOnly: true }, false, false],
  [{ recursiveReadOnly: 'Enabled', readOnly: true }, true, true],
  [{ recursiveReadOnly: 'Enabled', readOnly: true }, false, `${text} supported by the runtime`],
  [{ recursiveReadOnly: 'Enabled' }, true, `${text} read-only`],
  [
    { recursiveReadOnly: 'Enabled', readOnly: true, mountPropagation: 'HostToContainer' },
    true,
    `${text} compatible with propagation "HostToContainer"`,
  ],
] as const)('isRecursiveReadOnly(%j), runtime can: %j → %j', (more, supported, answer) => {
  const ask = (): boolean => isRecursiveReadOnly(mount(more), supported);
  if (typeof answer === 'string') expect(ask).toThrow(answer);
  else expect(ask()).toBe(answer);
});

import type { VolumeMount } from '../../api/core/v1/pod.ts';
import { ContainerConfigError } from '../env/build-environment.ts';

/**
 * Whether what is mounted below is read-only too, as the mount asks and the runtime can.
 * @throws ContainerConfigError where it asks for what cannot be had
 */
export function isRecursiveReadOnly(
  { name, readOnly, recursiveReadOnly: mode = 'Disabled', mountPropagation = 'None' }: VolumeMount,
  supported: boolean,
): boolean {
  if (mode === 'Disabled') return false;
  const refuse = (why: string): never => {
    throw new ContainerConfigError(
      `failed to resolve recursive read-only mode: volume "${name}" requested recursive read-only mode, but it is not ${why}`,
    );
  };
  if (readOnly !== true) refuse('read-only');
  if (mountPropagation !== 'None') refuse(`compatible with propagation "${mountPropagation}"`);
  if (mode === 'Enabled' && !supported) refuse('supported by the runtime');
  return supported;
}

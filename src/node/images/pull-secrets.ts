import type { Pod } from '../../api/core/v1/pod.ts';
import type { Secret } from '../../api/core/v1/secret.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { References } from '../references/references.ts';

/** The pull secrets of pods. One that is missing holds nothing up. */
export interface PullSecrets {
  /** Those that are there, in the pod's order. Which are missing is told when it changes, not at every look. */
  read(pod: Pod): Promise<Secret[]>;
  forget(podUid: string): void;
}

export interface PullSecretsOptions {
  readonly references: Pick<References, 'getSecret'>;
  readonly recorder: EventRecorder;
}

export function createPullSecrets({ references, recorder }: PullSecretsOptions): PullSecrets {
  const told = new Map<string, string>();
  return {
    async read(pod) {
      const { namespace = '', uid = '' } = pod.metadata;
      const names = (pod.spec.imagePullSecrets ?? []).map(({ name = '' }) => name).filter(Boolean);
      const found = await Promise.all(
        names.map(name => references.getSecret(namespace, name).catch(() => undefined)),
      );
      const missing = names.filter((_name, i) => found[i] === undefined).join(', ');
      if (missing !== '' && missing !== told.get(uid)) {
        recorder.event(
          pod,
          'Warning',
          'FailedToRetrieveImagePullSecret',
          `Unable to retrieve some image pull secrets (${missing}); attempting to pull the image may not succeed.`,
        );
      }
      told.set(uid, missing);
      return found.filter(each => each !== undefined);
    },
    forget: podUid => void told.delete(podUid),
  };
}

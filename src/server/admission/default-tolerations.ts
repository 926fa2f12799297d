import type { Pod } from '../../api/core/v1/pod.ts';
import type { AdmissionHook } from './admission.ts';

const keys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** A pod bears an unready node for five minutes unless it says otherwise (DefaultTolerationSeconds). */
export const defaultTolerations: AdmissionHook = ({ descriptor, subresource, object }) => {
  if (descriptor.plural === 'pods' && subresource === '' && object !== undefined) {
    const { spec } = object as Pod;
    for (const key of keys) {
      const borne = (spec.tolerations ?? []).some(
        each => (each.key === key || !each.key) && (each.effect === 'NoExecute' || !each.effect),
      );
      if (borne) continue;
      spec.tolerations = [
        ...(spec.tolerations ?? []),
        { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      ];
    }
  }
  return Promise.resolve();
};

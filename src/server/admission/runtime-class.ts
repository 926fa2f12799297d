import type { Pod } from '../../api/core/v1/pod.ts';
import { forbidden } from '../../machinery/status.ts';
import type { AdmissionHook } from './admission.ts';

const pods = { group: '', plural: 'pods' };

/** There are no RuntimeClasses: a pod that asks for one must not run with less isolation than it asks for. */
export const runtimeClass: AdmissionHook = ({
  operation,
  descriptor,
  subresource,
  name,
  object,
}) => {
  const isNewPod =
    operation === 'create' &&
    descriptor.group === pods.group &&
    descriptor.plural === pods.plural &&
    subresource === '';
  const { runtimeClassName = '' } = isNewPod ? (object as Pod).spec : {};
  return runtimeClassName === ''
    ? Promise.resolve()
    : Promise.reject(
        forbidden(
          pods,
          name,
          `pod rejected: RuntimeClass ${JSON.stringify(runtimeClassName)} not found`,
        ),
      );
};

import { goQuote } from '../../../../machinery/go-quote.ts';
import type { Check, CheckPod } from '../check.ts';
import { containersOf } from '../containers.ts';
import { distinct, plural, quoted, setters } from '../wording.ts';

const annotationPrefix = 'container.apparmor.security.beta.kubernetes.io/';

const isAllowedType = (type: string | undefined): boolean =>
  type === 'RuntimeDefault' || type === 'Localhost';
const isAllowedAnnotation = (value: string): boolean =>
  value === '' || value === 'runtime/default' || value.startsWith('localhost/');

const check: CheckPod = ({ metadata, spec }) => {
  const types: string[] = [];
  const isBad = (profile: { type?: string } | undefined): boolean => {
    if (profile === undefined || isAllowedType(profile.type)) return false;
    types.push(profile.type ?? '');
    return true;
  };
  const pod = isBad(spec.securityContext?.appArmorProfile);
  const containers = containersOf(spec)
    .filter(({ securityContext }) => isBad(securityContext?.appArmorProfile))
    .map(({ name }) => name);
  const annotations = Object.entries(metadata.annotations ?? {})
    .filter(([key, value]) => key.startsWith(annotationPrefix) && !isAllowedAnnotation(value))
    .map(([key, value]) => `${key}=${goQuote(value)}`)
    .toSorted();
  const values = [...distinct(types), ...annotations];
  if (values.length === 0) return undefined;
  const who = [
    ...(pod || containers.length > 0 ? [setters(pod, containers)] : []),
    ...(annotations.length === 0 ? [] : [plural(annotations.length, 'annotation', 'annotations')]),
  ];
  return {
    reason: plural(values.length, 'forbidden AppArmor profile', 'forbidden AppArmor profiles'),
    detail: `${who.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

/** Containers may not disable AppArmor; they use the runtime's profile or one loaded on the node. */
export const appArmorProfile: Check = {
  id: 'appArmorProfile',
  level: 'baseline',
  versions: [{ since: 0, check }],
};

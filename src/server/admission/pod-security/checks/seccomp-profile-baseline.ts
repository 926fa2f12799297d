import { goQuote } from '../../../../machinery/go-quote.ts';
import type { Check, CheckPod } from '../check.ts';
import { containersOf } from '../containers.ts';
import { distinct, plural } from '../wording.ts';
import { badSeccompTypes } from './seccomp-types.ts';

const podAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';
const containerAnnotation = 'container.seccomp.security.alpha.kubernetes.io/';

const isAllowedAnnotation = (value: string): boolean =>
  value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/');

/** Before 1.19, profiles were set by annotations. */
const since0: CheckPod = ({ metadata, spec }) => {
  const annotations = new Map(Object.entries(metadata.annotations ?? {}));
  const keys = [
    podAnnotation,
    ...containersOf(spec).map(({ name }) => `${containerAnnotation}${name}`),
  ];
  const bad = distinct(
    keys.flatMap(key => {
      const value = annotations.get(key);
      return value === undefined || isAllowedAnnotation(value) ? [] : [`${key}=${goQuote(value)}`];
    }),
  );
  return bad.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `forbidden ${plural(bad.length, 'annotation', 'annotations')} ${bad.join(', ')}`,
      };
};

/** Containers may not disable seccomp. */
export const seccompProfileBaseline: Check = {
  id: 'seccompProfile_baseline',
  level: 'baseline',
  versions: [
    { since: 0, check: since0 },
    { since: 19, check: badSeccompTypes },
  ],
};

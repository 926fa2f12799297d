import type { Check, CheckPod } from '../check.ts';
import { isWindows, namesWhere } from '../containers.ts';
import { containersNamed, distinct, quoted } from '../wording.ts';
import { capabilitiesBaseline } from './capabilities-baseline.ts';

const since22: CheckPod = ({ spec }) => {
  const added: string[] = [];
  const keeping = namesWhere(
    spec,
    ({ securityContext }) => !(securityContext?.capabilities?.drop ?? []).includes('ALL'),
  );
  const adding = namesWhere(spec, ({ securityContext }) => {
    const more = (securityContext?.capabilities?.add ?? []).filter(
      each => each !== 'NET_BIND_SERVICE',
    );
    added.push(...more);
    return more.length > 0;
  });
  const details = [
    ...(keeping.length === 0
      ? []
      : [`${containersNamed(keeping)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(adding.length === 0
      ? []
      : [
          `${containersNamed(adding)} must not include ${quoted(distinct(added))} in securityContext.capabilities.add`,
        ]),
  ];
  return details.length === 0
    ? undefined
    : { reason: 'unrestricted capabilities', detail: details.join('; ') };
};

const overrides = [capabilitiesBaseline.id];

/** Containers must drop all capabilities; they may add back only NET_BIND_SERVICE. */
export const capabilitiesRestricted: Check = {
  id: 'capabilities_restricted',
  level: 'restricted',
  versions: [
    { since: 22, check: since22, overrides },
    { since: 25, check: pod => (isWindows(pod.spec) ? undefined : since22(pod)), overrides },
  ],
};

import type { Check, CheckPod } from '../check.ts';
import { namesWhere } from '../containers.ts';
import { distinct, plural, quoted, setters } from '../wording.ts';

interface Options {
  readonly type?: string | undefined;
  readonly user?: string | undefined;
  readonly role?: string | undefined;
}

const checkTypes = (allowed: ReadonlySet<string>): CheckPod => {
  const isBad = ({ type = '', user, role }: Options): boolean =>
    !allowed.has(type) || Boolean(user) || Boolean(role);
  return ({ spec }) => {
    const bad: Options[] = [];
    const note = (options: Options | undefined): boolean => {
      if (options === undefined || !isBad(options)) return false;
      bad.push(options);
      return true;
    };
    const ofPod = note(spec.securityContext?.seLinuxOptions);
    const names = namesWhere(spec, ({ securityContext }) => note(securityContext?.seLinuxOptions));
    if (bad.length === 0) return undefined;
    const types = distinct(bad.map(({ type = '' }) => type).filter(each => !allowed.has(each)));
    const details = [
      ...(types.length === 0 ? [] : [`${plural(types.length, 'type', 'types')} ${quoted(types)}`]),
      ...(bad.some(({ user }) => Boolean(user)) ? ['user may not be set'] : []),
      ...(bad.some(({ role }) => Boolean(role)) ? ['role may not be set'] : []),
    ];
    return {
      reason: 'seLinuxOptions',
      detail: `${setters(ofPod, names)} set forbidden securityContext.seLinuxOptions: ${details.join('; ')}`,
    };
  };
};

const types = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

/** Containers may only use the SELinux types meant for containers, and no user or role of their own. */
export const seLinuxOptions: Check = {
  id: 'seLinuxOptions',
  level: 'baseline',
  versions: [
    { since: 0, check: checkTypes(new Set(types)) },
    { since: 31, check: checkTypes(new Set([...types, 'container_engine_t'])) },
  ],
};

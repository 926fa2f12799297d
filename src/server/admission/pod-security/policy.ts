import { memberOf } from '../../../machinery/member.ts';
import { invalid, path, type FieldError } from '../../../machinery/field-error.ts';

/** The Pod Security Standards, from the least to the most strict. */
export const levels = ['privileged', 'baseline', 'restricted'] as const;
export type Level = (typeof levels)[number];

/** The minor number of `v1.N`, or the newest rules. */
export type PolicyVersion = number | 'latest';

export interface LevelVersion {
  readonly level: Level;
  readonly version: PolicyVersion;
}

export const modes = ['enforce', 'audit', 'warn'] as const;
export type Mode = (typeof modes)[number];

/** The level and version of each mode. */
export type Policy = Readonly<Record<Mode, LevelVersion>>;

export const levelLabel = (mode: Mode): string => `pod-security.kubernetes.io/${mode}`;
export const versionLabel = (mode: Mode): string => `${levelLabel(mode)}-version`;

export const policyText = ({ level, version }: LevelVersion): string =>
  `${level}:${version === 'latest' ? version : `v1.${version}`}`;

export const levelError = `must be one of ${levels.join(', ')}`;
export const versionError = 'must be "latest" or "v1.x"';

/** @returns undefined for an unknown level */
export const parseLevel = (text: string): Level | undefined => levels.find(each => each === text);

/** @returns undefined for an invalid version */
export function parseVersion(text: string): PolicyVersion | undefined {
  if (text === 'latest') return text;
  const minor = Number(/^v1\.(0|[1-9]\d*)$/.exec(text)?.[1] ?? Number.NaN);
  return Number.isSafeInteger(minor) ? minor : undefined;
}

export const isStricter = (a: Level, b: Level): boolean => levels.indexOf(a) > levels.indexOf(b);

/**
 * The policy that a namespace's labels select (pod-security-admission's PolicyToEvaluate). An invalid
 * level counts as restricted for enforce, and as privileged for warn and audit.
 */
export function policyFromLabels(
  labels: Readonly<Record<string, string>>,
  defaults: Policy,
): { policy: Policy; errors: FieldError[] } {
  const errors: FieldError[] = [];
  const at = path('metadata.labels');
  const read = <T>(label: string, parse: (text: string) => T | undefined, message: string) => {
    const text = memberOf(labels, label);
    const value = text === undefined ? undefined : parse(text);
    if (text !== undefined && value === undefined)
      errors.push(invalid(at.key(label), text, message));
    return { isSet: text !== undefined, value };
  };
  const of = (mode: Mode): LevelVersion => {
    const level = read(levelLabel(mode), parseLevel, levelError);
    const version = read(versionLabel(mode), parseVersion, versionError);
    const unreadable = mode === 'enforce' ? 'restricted' : 'privileged';
    return {
      level: level.value ?? (level.isSet ? unreadable : defaults[mode].level),
      version: version.value ?? (version.isSet ? 'latest' : defaults[mode].version),
    };
  };
  // Kubernetes reports errors in this order.
  const policy = { enforce: of('enforce'), audit: of('audit'), warn: of('warn') };
  return { policy, errors };
}

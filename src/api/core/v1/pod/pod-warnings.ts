import { memberOf } from '../../../../machinery/member.ts';
import { goQuote } from '../../../../machinery/go-quote.ts';
import { parseQuantity } from '../../../../machinery/quantity.ts';
import type { Container } from './container-schema.ts';
import type { Pod } from './pod-schema.ts';
import { volumeWarnings } from './volume-warnings.ts';

/** Lines for Warning headers: what is lawful and hardly meant (pkg/api/pod/warnings.go). */
export function podWarnings({ spec }: Pod): string[] {
  const containers = (['initContainers', 'containers'] as const).flatMap(list =>
    (spec[list] ?? []).map((container, i) => ({ container, at: `spec.${list}[${i}]` })),
  );
  return [
    ...volumeWarnings(spec.volumes),
    ...repeated(
      (spec.hostAliases ?? []).map(({ ip }) => ip),
      (ip, i) => `spec.hostAliases[${i}].ip: duplicate ip ${goQuote(ip)}`,
    ),
    ...pullSecretWarnings(spec),
    ...containers.flatMap(({ container, at }) => [
      ...fractionWarnings(container, at),
      ...envWarnings(container, at),
    ]),
    ...portWarnings(containers),
  ];
}

function repeated(values: readonly string[], warn: (value: string, i: number) => string): string[] {
  const seen = new Set<string>();
  return values.flatMap((value, i) => {
    const warnings = seen.has(value) ? [warn(value, i)] : [];
    seen.add(value);
    return warnings;
  });
}

function pullSecretWarnings({ imagePullSecrets = [] }: Pod['spec']): string[] {
  const names = imagePullSecrets.map(({ name = '' }) => name);
  const at = (i: number): string => `spec.imagePullSecrets[${i}].name`;
  return [
    ...repeated(names, (name, i) => `${at(i)}: duplicate name ${goQuote(name)}`),
    ...names.flatMap((name, i) => (name === '' ? [`${at(i)}: invalid empty name ""`] : [])),
  ];
}

function fractionWarnings({ resources = {} }: Container, at: string): string[] {
  const isFraction = (value: string | number | undefined): boolean =>
    value !== undefined && (parseQuantity(value) ?? 0n) % 1_000_000_000n !== 0n;
  return ['memory', 'ephemeral-storage'].flatMap(name =>
    (['limits', 'requests'] as const).flatMap(list => {
      const value = memberOf(resources[list], name);
      return isFraction(value)
        ? [
            `${at}.resources.${list}[${name}]: fractional byte value ${goQuote(String(value))} is invalid, must be an integer`,
          ]
        : [];
    }),
  );
}

/** A later definition that builds on the earlier one is meant so. */
function envWarnings({ env = [] }: Container, at: string): string[] {
  const names = env.map(({ name }) => name);
  return repeated(names, (name, i) => {
    const { value = '', valueFrom } = env[i] ?? {};
    const reference = `$(${name})`;
    const buildsOn = valueFrom === undefined && value !== reference && value.includes(reference);
    return buildsOn
      ? ''
      : `${at}.env[${i}]: hides previous definition of ${goQuote(name)}, which may be dropped when using apply`;
  }).filter(warning => warning !== '');
}

/** More than a header can hold; very many ports of one number would be very many pairs. */
const maxPortWarnings = 100;

function portWarnings(
  containers: readonly { readonly container: Container; readonly at: string }[],
): string[] {
  const known = new Map<string, { at: string; hostIP: string; hostPort: number }[]>();
  const warnings: string[] = [];
  for (const { container, at } of containers) {
    (container.ports ?? []).forEach(
      ({ containerPort, protocol = 'TCP', hostIP = '', hostPort = 0 }, i) => {
        const here = { at: `${at}.ports[${i}]`, hostIP, hostPort };
        const key = `${containerPort}/${protocol}`;
        const others = known.get(key) ?? [];
        for (const other of others) {
          if (warnings.length === maxPortWarnings) return;
          const conflict = portConflict(here, other);
          if (conflict !== undefined) warnings.push(`${here.at}: ${conflict} with ${other.at}`);
        }
        others.push(here);
        known.set(key, others);
      },
    );
  }
  return warnings;
}

interface HostPort {
  readonly hostIP: string;
  readonly hostPort: number;
}

function portConflict(a: HostPort, b: HostPort): string | undefined {
  if (a.hostIP === b.hostIP && a.hostPort === b.hostPort) return 'duplicate port definition';
  if (a.hostPort === 0 || b.hostPort === 0) return 'overlapping port definition';
  const oneIsOpen = (a.hostIP === '') !== (b.hostIP === '');
  return a.hostPort === b.hostPort && oneIsOpen
    ? 'dangerously ambiguous port definition'
    : undefined;
}

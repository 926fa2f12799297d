import { memberOf } from '../../../../machinery/member.ts';
import { goQuote } from '../../../../machinery/go-quote.ts';
import { parseQuantity } from '../../../../machinery/quantity.ts';
import { shorten } from '../../../../machinery/shorten.ts';
import { take } from '../../../../machinery/take.ts';
import type { Container } from './container-schema.ts';
import type { Pod } from './pod-schema.ts';
import { portWarnings } from './port-warnings.ts';
import { volumeWarnings } from './volume-warnings.ts';

/** More than headers can hold. */
const maxWarnings = 100;

/** Lines for Warning headers: what is lawful and hardly meant (pkg/api/pod/warnings.go). */
export const podWarnings = (pod: Pod): string[] => take(maxWarnings, allWarnings(pod));

function* allWarnings({ spec }: Pod): Generator<string> {
  const containers = (['initContainers', 'containers'] as const).flatMap(list =>
    (spec[list] ?? []).map((container, i) => ({ container, at: `spec.${list}[${i}]` })),
  );
  yield* volumeWarnings(spec.volumes, maxWarnings);
  const addresses = (spec.hostAliases ?? []).map(({ ip }) => ip);
  for (const { value, i } of repeated(addresses)) {
    yield `spec.hostAliases[${i}].ip: duplicate ip ${quoted(value)}`;
  }
  yield* pullSecretWarnings(spec);
  for (const { container, at } of containers) {
    yield* fractionWarnings(container, at);
    yield* envWarnings(container, at);
  }
  yield* portWarnings(containers);
}

const quoted = (value: string): string => goQuote(shorten(value));

/** Every value that stood in the list before. */
function* repeated(values: readonly string[]): Generator<{ value: string; i: number }> {
  const seen = new Set<string>();
  for (const [i, value] of values.entries()) {
    if (seen.has(value)) yield { value, i };
    seen.add(value);
  }
}

function* pullSecretWarnings({ imagePullSecrets = [] }: Pod['spec']): Generator<string> {
  const names = imagePullSecrets.map(({ name = '' }) => name);
  const at = (i: number): string => `spec.imagePullSecrets[${i}].name`;
  for (const { value, i } of repeated(names)) {
    yield `${at(i)}: duplicate name ${quoted(value)}`;
  }
  for (const [i, name] of names.entries()) {
    if (name === '') yield `${at(i)}: invalid empty name ""`;
  }
}

function* fractionWarnings({ resources = {} }: Container, at: string): Generator<string> {
  for (const name of ['memory', 'ephemeral-storage']) {
    for (const list of ['limits', 'requests'] as const) {
      const value = memberOf(resources[list], name);
      if (value === undefined || parseQuantity(value) % 1_000_000_000n === 0n) continue;
      yield `${at}.resources.${list}[${name}]: fractional byte value ${quoted(String(value))} is invalid, must be an integer`;
    }
  }
}

/** A later definition that builds on the earlier one is meant so. */
function* envWarnings({ env = [] }: Container, at: string): Generator<string> {
  for (const { value: name, i } of repeated(env.map(each => each.name))) {
    const { value = '', valueFrom } = env[i] ?? {};
    const reference = `$(${name})`;
    const buildsOn = valueFrom === undefined && value !== reference && value.includes(reference);
    if (buildsOn) continue;
    yield `${at}.env[${i}]: hides previous definition of ${quoted(name)}, which may be dropped when using apply`;
  }
}

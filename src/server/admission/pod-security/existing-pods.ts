import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pod } from '../../../api/core/v1/pod.ts';
import type { ListPage, ObjectStore } from '../../registry/object-store.ts';
import { evaluatePod, reasonsText } from './evaluate.ts';
import { policyText, type LevelVersion } from './policy.ts';

export interface ExistingPodsOptions {
  readonly pods: Pick<ObjectStore<Pod>, 'list'>;
  readonly isExempt: (pod: Pod) => boolean;
  /** Clock in milliseconds; tests replace it. */
  readonly now?: () => number;
}

const maxPods = 3000;
const maxMs = 1000;
/** Other requests get a turn after so long: a large pod alone takes some ten milliseconds. */
const sliceMs = 5;

/** Warnings about existing pods that a namespace's new enforce level would not admit. */
export async function existingPodWarnings(
  namespace: string,
  enforce: LevelVersion,
  { pods, isExempt, now = Date.now }: ExistingPodsOptions,
): Promise<string[]> {
  let page: ListPage;
  try {
    page = await pods.list({ namespace, limit: maxPods });
  } catch {
    return ['failed to list pods while checking new PodSecurity enforce level'];
  }
  const total = page.items.length + (page.remainingItemCount ?? 0);
  const deadline = now() + maxMs;
  let sliceEndsAt = now() + sliceMs;
  const namesByReasons = new Map<string, string[]>();
  let checked = 0;
  for (const item of page.items) {
    if (now() > deadline) break;
    if (now() >= sliceEndsAt) {
      await nextTurn();
      sliceEndsAt = now() + sliceMs;
    }
    checked += 1;
    const pod = item.object() as Pod;
    const violations = isExempt(pod) ? [] : evaluatePod(enforce, pod);
    if (violations.length === 0) continue;
    const reasons = reasonsText(violations);
    const names = namesByReasons.get(reasons);
    if (names === undefined) namesByReasons.set(reasons, [item.name]);
    else names.push(item.name);
  }
  return [
    ...(checked < total
      ? [
          `new PodSecurity enforce level only checked against the first ${checked} of ${total} existing pods`,
        ]
      : []),
    ...(namesByReasons.size === 0
      ? []
      : [
          `existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${policyText(enforce)}"`,
        ]),
    ...[...namesByReasons]
      .map(([reasons, names]) => `${firstAndCount(names)}: ${reasons}`)
      .toSorted(),
  ];
}

function firstAndCount(names: readonly string[]): string {
  const [first = ''] = names.toSorted();
  const others = names.length - 1;
  if (others === 0) return first;
  return `${first} (and ${others} other pod${others === 1 ? '' : 's'})`;
}

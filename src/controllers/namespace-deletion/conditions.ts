import type { Namespace } from '../../api/core/v1/namespace.ts';
import type { NamespaceContents } from './delete-contents.ts';

type Condition = NonNullable<NonNullable<Namespace['status']>['conditions']>[number];
type Failure = Pick<Condition, 'reason' | 'message'>;

/** In Kubernetes' order, with what they say when nothing is wrong. */
const successes = [
  [
    'NamespaceDeletionDiscoveryFailure',
    'ResourcesDiscovered',
    'All resources successfully discovered',
  ],
  [
    'NamespaceDeletionGroupVersionParsingFailure',
    'ParsedGroupVersions',
    'All legacy kube types successfully parsed',
  ],
  [
    'NamespaceDeletionContentFailure',
    'ContentDeleted',
    'All content successfully deleted, may be waiting on finalization',
  ],
  ['NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed'],
  ['NamespaceFinalizersRemaining', 'ContentRemoved', 'All content successfully removed'],
] as const;

/**
 * The conditions of a namespace that is being deleted, as the namespace controller sets them.
 * @returns undefined when they are as they were
 */
export function namespaceConditions(
  before: readonly Condition[],
  contents: NamespaceContents,
  now: string,
): Condition[] | undefined {
  const failures = failuresOf(contents);
  let hasChanged = false;
  const ours = successes.map(([type, reason, message]): Condition => {
    const failure = failures.get(type);
    const old = before.find(each => each.type === type);
    const status = failure === undefined ? 'False' : 'True';
    const current = { type, status, ...(failure ?? { reason, message }) };
    if (old?.status === status && old.reason === current.reason && old.message === current.message)
      return old;
    hasChanged = true;
    const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? now) : now;
    return { ...current, lastTransitionTime };
  });
  if (!hasChanged) return undefined;
  const others = before.filter(({ type }) => successes.every(([known]) => known !== type));
  return [...others, ...ours];
}

function failuresOf({ remaining, finalizers, errors }: NamespaceContents): Map<string, Failure> {
  const failures = new Map<string, Failure>();
  if (errors.length > 0)
    failures.set('NamespaceDeletionContentFailure', {
      reason: 'ContentDeletionFailed',
      message: `Failed to delete all resource types, ${errors.length} remaining: ${errors.toSorted().join(', ')}`,
    });
  if (remaining.size > 0)
    failures.set('NamespaceContentRemaining', {
      reason: 'SomeResourcesRemain',
      message: `Some resources are remaining: ${listed(remaining, 'has', 'resource instances')}`,
    });
  if (finalizers.size > 0)
    failures.set('NamespaceFinalizersRemaining', {
      reason: 'SomeFinalizerRemain',
      message: `Some finalizers are remaining: ${listed(finalizers, 'in', 'resource instances')}`,
    });
  return failures;
}

const listed = (counts: ReadonlyMap<string, number>, verb: string, noun: string): string =>
  [...counts]
    .map(([name, count]) => `${name} ${verb} ${count} ${noun}`)
    .toSorted()
    .join(', ');

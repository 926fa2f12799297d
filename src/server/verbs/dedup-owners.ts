import type { ObjectMeta, OwnerReference } from '../../machinery/meta.ts';

/** Takes owner references out that stand there already, in place. @returns a warning that says so */
export function dedupOwners(metadata: ObjectMeta): string[] {
  const owners = metadata.ownerReferences ?? [];
  const kept = new Map(owners.map(owner => [identityOf(owner), owner]));
  if (kept.size === owners.length) return [];
  const seen = new Set<string>();
  const repeated = owners.filter(owner => {
    const isRepeated = seen.has(identityOf(owner));
    seen.add(identityOf(owner));
    return isRepeated;
  });
  metadata.ownerReferences = [...kept.values()];
  return [
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.map(({ uid }) => uid).join(', ')}`,
  ];
}

const identityOf = (owner: OwnerReference): string =>
  JSON.stringify([
    owner.apiVersion,
    owner.kind,
    owner.name,
    owner.uid,
    owner.controller,
    owner.blockOwnerDeletion,
  ]);

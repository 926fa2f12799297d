/**
 * Versions that are discovered although they have no resource of their own: Eviction is a subresource
 * of pods, and kubectl looks for its group before it evicts rather than deletes.
 */
export const policyVersions: readonly { readonly group: string; readonly version: string }[] = [
  { group: 'policy', version: 'v1' },
];

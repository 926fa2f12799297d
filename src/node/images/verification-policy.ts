import { parseImageName } from '../../machinery/image-name.ts';

/** KubeletConfiguration's imagePullCredentialsVerificationPolicy. */
export const verificationPolicies = [
  'NeverVerify',
  'NeverVerifyPreloadedImages',
  'NeverVerifyAllowlistedImages',
  'AlwaysVerify',
] as const;

export type VerificationPolicyName = (typeof verificationPolicies)[number];

/**
 * Whether a pod that wants an image that is here must have credentials for it.
 * @param repository the image's name in full, without tag and digest
 * @param pulledHere whether it came by a pull of this node's, and not some other way
 */
export type VerificationPolicy = (repository: string, pulledHere: boolean) => boolean;

/**
 * @param allowlist preloadedImagesVerificationAllowlist: repositories, or all below a path: `registry.io/team/*`
 * @throws SyntaxError for a pattern that is none
 */
export function createVerificationPolicy(
  name: VerificationPolicyName,
  allowlist: readonly string[] = [],
): VerificationPolicy {
  const allowed = allowlist.map(allowlistPattern);
  switch (name) {
    case 'NeverVerify':
      return () => false;
    case 'NeverVerifyPreloadedImages':
      return (_repository, pulledHere) => pulledHere;
    case 'NeverVerifyAllowlistedImages':
      return repository => !allowed.some(allows => allows(repository));
    case 'AlwaysVerify':
      return () => true;
  }
}

function allowlistPattern(pattern: string): (repository: string) => boolean {
  if (pattern !== pattern.trim())
    throw new SyntaxError(`leading/trailing spaces are not allowed: ${pattern}`);
  if (pattern === '') throw new SyntaxError(`the supplied pattern is too short: ${pattern}`);
  const prefix = pattern.endsWith('/*') ? pattern.slice(0, -1) : undefined;
  if ((prefix ?? pattern).includes('*')) {
    throw new SyntaxError(
      `not a valid wildcard pattern, only patterns ending with '/*' are allowed: ${pattern}`,
    );
  }
  if (prefix !== undefined) {
    if (prefix === '/') throw new SyntaxError('at least registry hostname is required');
    return repository => repository.startsWith(prefix);
  }
  const { repository: wanted, full } = parsePattern(pattern);
  if (full !== `${wanted}:latest` || pattern.endsWith(':latest')) {
    throw new SyntaxError(`neither tag nor digest is accepted in an image reference: ${pattern}`);
  }
  return repository => repository === wanted;
}

function parsePattern(pattern: string): ReturnType<typeof parseImageName> {
  try {
    return parseImageName(pattern);
  } catch {
    throw new SyntaxError(`failed to parse as an image name: ${pattern}`);
  }
}

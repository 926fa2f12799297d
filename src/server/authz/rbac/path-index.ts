import type { PolicyRule } from '../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';

/** Rules for paths that are no resources, found by path. */
export interface PathIndex {
  /** Whether a rule allows the verb on the path. @param path also a pattern such as `/healthz/*` */
  allows(verb: string, path: string): boolean;
}

/** The verbs that are allowed on a path, or on all paths that begin with one. */
type VerbsByPath = Map<string, Set<string>>;

export function indexPaths(rules: readonly PolicyRule[]): PathIndex {
  const exact: VerbsByPath = new Map();
  /** By what stands before the `*`; by length first, so that a path is compared once for each length. */
  const prefixes = new Map<number, VerbsByPath>();
  const add = (to: VerbsByPath, path: string, verbs: readonly string[]): void => {
    const known = to.get(path) ?? new Set<string>();
    for (const verb of verbs) known.add(verb);
    to.set(path, known);
  };
  for (const { verbs, nonResourceURLs = [] } of rules) {
    for (const pattern of nonResourceURLs) {
      add(exact, pattern, verbs);
      if (!pattern.endsWith('*')) continue;
      const prefix = withoutStarsAtEnd(pattern);
      const ofLength: VerbsByPath = prefixes.get(prefix.length) ?? new Map<string, Set<string>>();
      prefixes.set(prefix.length, ofLength);
      add(ofLength, prefix, verbs);
    }
  }
  const includes = (verbs: ReadonlySet<string> | undefined, verb: string): boolean =>
    verbs !== undefined && (verbs.has('*') || verbs.has(verb));
  return {
    allows(verb, path) {
      if (includes(exact.get(path), verb)) return true;
      for (const [length, byPrefix] of prefixes) {
        if (length <= path.length && includes(byPrefix.get(path.slice(0, length)), verb)) {
          return true;
        }
      }
      return false;
    },
  };
}

/** A pattern such as `/healthz/*` without its end. */
function withoutStarsAtEnd(pattern: string): string {
  let end = pattern.length;
  while (pattern[end - 1] === '*') end -= 1;
  return pattern.slice(0, end);
}

/**
 * Expands `$(NAME)` as Kubernetes does: `$$` is a literal `$`, what does not close stays as it is.
 * @param valueOf the value of a name; undefined leaves the reference as it is written
 */
export function expand(text: string, valueOf: (name: string) => string | undefined): string {
  if (!text.includes('$')) return text;
  // `$$` first: in `$$(NAME)` the second `$` opens nothing.
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (written, name?: string) =>
    name === undefined ? '$' : (valueOf(name) ?? written),
  );
}

/** The names that `expand` would ask for. */
export function namesIn(text: string): string[] {
  const names: string[] = [];
  expand(text, name => {
    names.push(name);
    return undefined;
  });
  return names;
}

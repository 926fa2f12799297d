/** How much may still be put in place of references. */
export interface ExpansionBudget {
  left: number;
}

/** Variables that refer to one another can double again and again. */
export class ExpansionError extends Error {
  constructor() {
    super('the values that take the place of $(NAME) are too long');
    this.name = 'ExpansionError';
  }
}

/**
 * Expands `$(NAME)` as Kubernetes does: `$$` is a literal `$`, what does not close stays as it is.
 * @param valueOf the value of a name; undefined leaves the reference as it is written
 * @param budget in characters; counted down
 * @throws ExpansionError
 */
export function expand(
  text: string,
  valueOf: (name: string) => string | undefined,
  budget: ExpansionBudget = { left: Infinity },
): string {
  if (!text.includes('$')) return text;
  // `$$` first: in `$$(NAME)` the second `$` opens nothing.
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (written, name?: string) => {
    const value = name === undefined ? '$' : (valueOf(name) ?? written);
    budget.left -= value.length;
    if (budget.left < 0) throw new ExpansionError();
    return value;
  });
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

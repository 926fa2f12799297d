/** A watch keeps its selector, at some 100 bytes a condition, and asks all of it about each change. */
const maxConditions = 500;

/**
 * Kubernetes has no such bound of its own; here it keeps thousands of watches within the memory.
 * @param count of requirements, and of values in lists
 * @throws SyntaxError
 */
export function boundSelector(kind: 'label' | 'field', count: number): void {
  if (count <= maxConditions) return;
  throw new SyntaxError(
    `${kind} selector has ${count} requirements and values, the limit is ${maxConditions}: select by fewer`,
  );
}

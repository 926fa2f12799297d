/** Whether objects and lists lie in one another deeper than that. */
export function exceedsDepth(value: unknown, max: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return max === 0 || Object.values(value).some(each => exceedsDepth(each, max - 1));
}

/** Works on the elements in their order, up to `count` at once. The first rejection ends it. */
export async function forEachAtOnce<T>(
  count: number,
  elements: Iterable<T>,
  work: (element: T) => Promise<unknown>,
): Promise<void> {
  const rest = elements[Symbol.iterator]();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true && !failed; next = rest.next()) {
      await work(next.value).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: count }, worker));
}

/** A patch that does not fit the object; `message` in Kubernetes' words. */
export class PatchError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PatchError';
  }
}

/**
 * What a patch may walk through beyond itself and the object: a short operation on a long list or a large
 * object may be repeated thousands of times.
 */
export interface WorkBudget {
  /** @throws PatchError when there is no more */
  spend(elements: number): void;
}

const maxElements = 2_000_000;

export function createWorkBudget(): WorkBudget {
  let left = maxElements;
  return {
    spend(elements) {
      left -= elements;
      if (left < 0) {
        throw new PatchError(
          `the patch repeats operations on long lists or large objects: more than ${maxElements} elements would be visited; split the patch, or replace the list as a whole`,
        );
      }
    },
  };
}

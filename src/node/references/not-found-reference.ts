import type { ReferencedKind } from '../../api/core/v1/pod/pod-references.ts';

/** A pod names an object that is not there: the one failure that `optional` forgives. */
export class NotFoundReference extends Error {
  readonly notFound = true;

  constructor(kind: ReferencedKind, name: string) {
    super(`${kind.toLowerCase()} "${name}" not found`);
    this.name = 'NotFoundReference';
  }
}

export const isNotFoundReference = (error: unknown): boolean =>
  error instanceof Error && 'notFound' in error && error.notFound === true;

/** What is wrong with the keys and certificates on disk, and what to do about it. */
export class PkiError extends Error {
  override readonly name = 'PkiError';
}

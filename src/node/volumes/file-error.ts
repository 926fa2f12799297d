import { getSystemErrorMap } from 'node:util';

// Where Node's words are not the system's own, as the kubelet tells them.
const words: ReadonlyMap<string, string> = new Map([
  ['EEXIST', 'file exists'],
  ['EISDIR', 'is a directory'],
]);

/**
 * A failed call of the file system, worded as Go does: `open /a/b: is a directory`.
 * @param at what was worked on, where the error does not say
 */
export function fileError(error: unknown, at: string): Error {
  const { code = '', errno, syscall, path = at, message } = error as NodeJS.ErrnoException;
  const text =
    words.get(code) ?? (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]);
  if (syscall === undefined || text === undefined) return new Error(message, { cause: error });
  return new Error(`${syscall} ${path}: ${text}`, { cause: error });
}

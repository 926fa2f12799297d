import path from 'node:path';
import type { Payload, ProjectedFile } from './payload.ts';

const maxPathBytes = 4096;
const maxNameBytes = 255;

/**
 * A payload with its paths in their shortest form. The last of two files at one path wins, as their
 * order in the payload says.
 * @throws Error with the kubelet's text where a path cannot be in a volume
 */
export function cleanPaths(payload: Payload): Payload {
  const files = new Map<string, ProjectedFile>();
  for (const [name, file] of payload) {
    mustBeSafe(name);
    files.set(isPlain(name) ? name : shortest(name), file);
  }
  return files;
}

/** atomic_writer.go validatePath. */
function mustBeSafe(name: string): void {
  if (name === '') refuse('must not be empty: ""');
  if (path.posix.isAbsolute(name)) refuse(`must be relative path: ${name}`);
  if (Buffer.byteLength(name) > maxPathBytes) {
    refuse(`must be less than or equal to ${maxPathBytes} characters`);
  }
  for (const part of isPlain(name) ? [name] : name.split('/')) {
    if (part === '..') refuse(`must not contain '..': ${name}`);
    if (Buffer.byteLength(part) > maxNameBytes) {
      refuse(`filenames must be less than or equal to ${maxNameBytes} characters`);
    }
  }
  if (name.startsWith('..')) refuse(`must not start with '..': ${name}`);
}

// What nearly every key is.
const isPlain = (name: string): boolean => !name.includes('/');

/** Go's path.Clean: unlike Node's, it leaves no slash at the end. */
const shortest = (name: string): string => path.posix.normalize(name).replace(/\/$/, '');

function refuse(why: string): never {
  throw new Error(`invalid path: ${why}`);
}

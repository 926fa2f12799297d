import type { KeyToPath } from '../../api/core/v1/references.ts';
import type { ObjectData } from '../references/object-data.ts';

export interface ProjectedFile {
  readonly data: Buffer;
  /** Permission bits. */
  readonly mode: number;
  /** Its owner, where that is not root. */
  readonly uid?: number;
}

/** The files of a volume by relative path. */
export type Payload = ReadonlyMap<string, ProjectedFile>;

export const defaultFileMode = 0o644;

export interface KeySelection {
  /** Empty or absent: every key, at its own name. */
  readonly items?: readonly KeyToPath[] | undefined;
  readonly optional?: boolean | undefined;
  readonly defaultMode?: number | undefined;
}

/**
 * The files that a Secret or ConfigMap makes.
 * @param word `secret` or `config`, for the message
 * @throws Error where a key is asked for that is not there, unless optional
 */
export function projectKeys(
  data: ObjectData,
  { items = [], optional, defaultMode = defaultFileMode }: KeySelection,
  word: 'secret' | 'config',
): Payload {
  if (items.length === 0) {
    return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode: defaultMode }]));
  }
  const payload = new Map<string, ProjectedFile>();
  for (const { key, path, mode = defaultMode } of items) {
    const bytes = data.get(key);
    if (bytes !== undefined) payload.set(path, { data: bytes, mode });
    else if (optional !== true) throw new Error(`references non-existent ${word} key: ${key}`);
  }
  return payload;
}

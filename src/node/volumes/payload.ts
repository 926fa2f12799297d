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

/** What a volume says of all its files. */
export interface FileDefaults {
  readonly defaultMode?: number | undefined;
  /** UID. */
  readonly defaultUser?: number | undefined;
}

export interface KeySelection extends FileDefaults {
  /** Empty or absent: every key, at its own name. */
  readonly items?: readonly KeyToPath[] | undefined;
  readonly optional?: boolean | undefined;
}

/** A file with what it says for itself over what its volume says for all. */
export const projectedFile = (
  data: Buffer,
  { mode, user }: { readonly mode?: number | undefined; readonly user?: number | undefined },
  { defaultMode = defaultFileMode, defaultUser }: FileDefaults,
): ProjectedFile => {
  const uid = user ?? defaultUser;
  return { data, mode: mode ?? defaultMode, ...(uid === undefined ? {} : { uid }) };
};

/**
 * The files that a Secret or ConfigMap makes.
 * @param word `secret` or `config`, for the message
 * @throws Error where a key is asked for that is not there, unless optional
 */
export function projectKeys(
  data: ObjectData,
  { items = [], optional, ...defaults }: KeySelection,
  word: 'secret' | 'config',
): Payload {
  if (items.length === 0) return wholePayload(data, defaults);
  const payload = new Map<string, ProjectedFile>();
  for (const { key, path, ...own } of items) {
    const bytes = data.get(key);
    if (bytes !== undefined) payload.set(path, projectedFile(bytes, own, defaults));
    else if (optional !== true) throw new Error(`references non-existent ${word} key: ${key}`);
  }
  return payload;
}

// One object in many volumes: those that want all of it in the same way share one payload.
const wholePayloads = new WeakMap<ObjectData, Map<string, Payload>>();

function wholePayload(data: ObjectData, { defaultMode, defaultUser }: FileDefaults): Payload {
  const made = wholePayloads.get(data) ?? new Map<string, Payload>();
  wholePayloads.set(data, made);
  const key = `${defaultMode}/${defaultUser}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const payload = new Map(
    [...data].map(([name, bytes]) => [
      name,
      projectedFile(bytes, {}, { defaultMode, defaultUser }),
    ]),
  );
  made.set(key, payload);
  return payload;
}

import type { ConfigMap } from '../../api/core/v1/configmap.ts';
import type { Secret } from '../../api/core/v1/secret.ts';

export type ObjectData = ReadonlyMap<string, Buffer>;

// Objects of a cache are replaced, never changed: each is decoded once, however many pods use it.
const decoded = new WeakMap<object, ObjectData>();

/** The decoded values of a Secret by key. */
export const secretData = (secret: Secret): ObjectData =>
  once(secret, () => entries(secret.data, 'base64'));

/** `data` and `binaryData` of a ConfigMap by key, as bytes. */
export const configMapData = (configMap: ConfigMap): ObjectData =>
  once(configMap, () => [
    ...entries(configMap.data, 'utf8'),
    ...entries(configMap.binaryData, 'base64'),
  ]);

function once(object: object, decode: () => [string, Buffer][]): ObjectData {
  const known = decoded.get(object);
  if (known !== undefined) return known;
  const data = new Map(decode());
  decoded.set(object, data);
  return data;
}

const entries = (
  values: Record<string, string> | undefined,
  encoding: BufferEncoding,
): [string, Buffer][] =>
  Object.entries(values ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]);

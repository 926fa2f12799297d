import { isDeepStrictEqual } from 'node:util';
import { parseOwnJson } from '../../machinery/decode/own-json.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import type { StoredObject } from './object-store.ts';

/*
 * What is kept is the object's JSON with kind, apiVersion and metadata first and no
 * resourceVersion: `{"kind":…,"apiVersion":…,"metadata":{…`. Its version is known only once it is
 * written, and is spliced in behind `"metadata":{` without parsing anything.
 */
const marker = Buffer.from('"metadata":{');

/** The bytes to keep. */
export function encodeObject(object: KubeObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object;
  const { resourceVersion: _version, ...kept } = metadata;
  return Buffer.from(JSON.stringify({ kind, apiVersion, metadata: kept, ...rest }));
}

/** @param value as `encodeObject` made it */
export function storedObject<T extends KubeObject>(
  identity: { namespace: string; name: string },
  value: Uint8Array,
  resourceVersion: number,
): StoredObject<T> {
  return new Stored<T>(
    identity.namespace,
    identity.name,
    resourceVersion,
    splice(value, resourceVersion),
  );
}

class Stored<T extends KubeObject> implements StoredObject<T> {
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: number;
  readonly json: Buffer;
  // What is kept for long is kept as JSON alone: parsed, it takes twice that again.
  #parsed: WeakRef<T> | undefined;

  constructor(namespace: string, name: string, resourceVersion: number, json: Buffer) {
    this.namespace = namespace;
    this.name = name;
    this.resourceVersion = resourceVersion;
    this.json = json;
  }

  object(): T {
    let object = this.#parsed?.deref();
    if (object === undefined) {
      object = parseOwnJson(this.json.toString()) as T;
      this.#parsed = new WeakRef(object);
    }
    return object;
  }
}

function splice(value: Uint8Array, resourceVersion: number): Buffer {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const at = bytes.indexOf(marker) + marker.length;
  // Every stored object has metadata that is not empty: a name, at the least.
  const version = `"resourceVersion":"${resourceVersion}",`;
  // Not out of Node's pool: what is kept for long would keep the slab that others share.
  const json = Buffer.allocUnsafeSlow(bytes.length + version.length);
  bytes.copy(json, 0, 0, at);
  json.write(version, at, 'latin1');
  bytes.copy(json, at + version.length, at);
  return json;
}

/** Whether two states of one version are the same object: the order of keys says nothing. */
export const sameContent = (a: StoredObject, b: StoredObject): boolean =>
  a.json.equals(b.json) ||
  (a.json.length === b.json.length && isDeepStrictEqual(a.object(), b.object()));

/** A form of `object` that another kind serves, at the same version. */
export const convertedObject = (
  from: StoredObject,
  convert: (object: KubeObject) => KubeObject,
): StoredObject => {
  const object = convert(structuredClone(from.object()));
  return {
    namespace: from.namespace,
    name: from.name,
    resourceVersion: from.resourceVersion,
    json: Buffer.from(JSON.stringify(object)),
    object: () => object,
  };
};

/** An object of which nothing stays in memory: it is read each time that somebody looks at it. */
export class LazyObject implements StoredObject {
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: number;
  readonly #read: () => StoredObject;

  constructor(
    identity: { readonly namespace: string; readonly name: string },
    resourceVersion: number,
    read: () => StoredObject,
  ) {
    this.namespace = identity.namespace;
    this.name = identity.name;
    this.resourceVersion = resourceVersion;
    this.#read = read;
  }

  get json(): Buffer {
    return this.#read().json;
  }

  object(): KubeObject {
    return this.#read().object();
  }
}

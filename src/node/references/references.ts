import { isDeepStrictEqual } from 'node:util';
import type { ConfigMap } from '../../api/core/v1/configmap.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import type { Secret } from '../../api/core/v1/secret.ts';
import type { KubeClient } from '../../client/client.ts';
import type { Logger } from '../../machinery/log.ts';
import { createLiveObjects } from './live-objects.ts';
import type { ReferencedObjects } from './referenced-objects.ts';
import {
  objectReference,
  objectsOf,
  type ObjectReference,
  type ReferencedKind,
} from '../../api/core/v1/pod/pod-references.ts';
import { createTtlObjects } from './ttl-objects.ts';
import { createWatchedObjects } from './watched-objects.ts';

export { NotFoundReference } from './not-found-reference.ts';

export interface ReferenceChange {
  readonly kind: ReferencedKind;
  readonly namespace: string;
  readonly name: string;
  /** Pods that use the object, in any way. */
  readonly podUids: readonly string[];
}

/** The Secrets and ConfigMaps that the pods of this node use, as new as the strategy makes them. */
export interface References {
  /** Idempotent; replaces what the pod referenced before. */
  registerPod(pod: Pod): void;
  /** Idempotent. */
  unregisterPod(uid: string): void;
  /** @throws NotFoundReference, or what kept the object from being read */
  getSecret(namespace: string, name: string): Promise<Secret>;
  /** @throws NotFoundReference, or what kept the object from being read */
  getConfigMap(namespace: string, name: string): Promise<ConfigMap>;
  /** Called once the new object, or its absence, is what `get` answers. Strategy Watch only. */
  onChange(listener: (change: ReferenceChange) => void): void;
}

/** How the node learns of changes: the kubelet's configMapAndSecretChangeDetectionStrategy. */
export type ChangeDetection = 'Watch' | 'Cache' | 'Get';

export interface ReferencesOptions {
  readonly client: KubeClient;
  readonly strategy: ChangeDetection;
  /** How long strategy Cache trusts what it read. Milliseconds. */
  readonly ttlMs: number;
  /** Ends every watch. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** A clock that never goes back, in milliseconds. @default performance.now */
  readonly nowMs?: () => number;
  /** Objects that strategy Watch watches, at most. */
  readonly maxWatched?: number;
}

interface Registration {
  readonly references: ReadonlyMap<string, ObjectReference>;
  /** What of a pod may change while it lives, and tells the kubelet to read its objects anew. */
  readonly marks: unknown;
}

export function createReferences(options: ReferencesOptions): References {
  const objects = strategies[options.strategy](options);
  const registrations = new Map<string, Registration>();
  const users = new Map<string, Set<string>>();
  const listeners: ((change: ReferenceChange) => void)[] = [];

  objects.onChange(({ kind, namespace, name, key }) => {
    const podUids = [...(users.get(key) ?? [])];
    for (const listener of listeners) listener({ kind, namespace, name, podUids });
  });

  const release = (uid: string, references: Iterable<ObjectReference>): void => {
    for (const reference of references) {
      const uids = users.get(reference.key);
      uids?.delete(uid);
      if (uids?.size !== 0) continue;
      users.delete(reference.key);
      objects.close(reference);
    }
  };

  return {
    registerPod(pod) {
      const { uid = '', labels, annotations } = pod.metadata;
      const references = new Map(objectsOf(pod).map(each => [each.key, each]));
      const marks = { labels, annotations, keys: [...references.keys()] };
      const before = registrations.get(uid);
      if (isDeepStrictEqual(before?.marks, marks)) return;
      registrations.set(uid, { references, marks });
      for (const reference of references.values()) {
        users.set(reference.key, (users.get(reference.key) ?? new Set()).add(uid));
        objects.open(reference);
      }
      const gone = [...(before?.references.values() ?? [])].filter(
        each => !references.has(each.key),
      );
      release(uid, gone);
    },
    unregisterPod(uid) {
      release(uid, registrations.get(uid)?.references.values() ?? []);
      registrations.delete(uid);
    },
    getSecret: (namespace, name) => objects.get(objectReference('Secret', namespace, name)),
    getConfigMap: (namespace, name) => objects.get(objectReference('ConfigMap', namespace, name)),
    onChange(listener) {
      listeners.push(listener);
    },
  };
}

const strategies: Record<ChangeDetection, (options: ReferencesOptions) => ReferencedObjects> = {
  Watch: createWatchedObjects,
  Cache: createTtlObjects,
  Get: createLiveObjects,
};

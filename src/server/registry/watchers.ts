import type { WatchRequest, WatchSink } from './object-store.ts';
import type { Change } from './change.ts';

export interface Watcher {
  readonly request: WatchRequest;
  readonly sink: WatchSink;
  /** Changes up to here were sent. */
  revision: number;
  /** What came while the past is still being sent; undefined once that is done. */
  waiting: Change[] | undefined;
  /** Of the JSON of those. */
  waitingBytes: number;
}

/** Where an object is: changes elsewhere do not concern those who watch this place. */
type Place = Pick<Change, 'namespace' | 'name'>;

/** Watchers by client, and by the namespace and the name that they watch. */
export interface Watchers {
  add(watcher: Watcher): void;
  remove(watcher: Watcher): void;
  has(watcher: Watcher): boolean;
  /** Who has watchers that a change there may concern. Undefined stands for the server itself. */
  clientsAt(place: Place): ReadonlySet<string | undefined>;
  /** The watchers of a client that a change there may concern. */
  at(place: Place, client: string | undefined): Iterable<Watcher>;
  all(): Watcher[];
  clear(): void;
}

export function createWatchers(): Watchers {
  const scopes = new Map<string, Map<string | undefined, Set<Watcher>>>();
  return {
    add(watcher) {
      const scope = scopeOf(watcher.request);
      const { client } = watcher.request;
      let clients = scopes.get(scope);
      if (clients === undefined) scopes.set(scope, (clients = new Map()));
      const own = clients.get(client);
      if (own === undefined) clients.set(client, new Set([watcher]));
      else own.add(watcher);
    },
    remove(watcher) {
      const scope = scopeOf(watcher.request);
      const { client } = watcher.request;
      const clients = scopes.get(scope);
      const own = clients?.get(client);
      own?.delete(watcher);
      if (own?.size === 0) clients?.delete(client);
      if (clients?.size === 0) scopes.delete(scope);
    },
    has: watcher =>
      scopes.get(scopeOf(watcher.request))?.get(watcher.request.client)?.has(watcher) === true,
    clientsAt: place =>
      new Set(scopesAround(place).flatMap(scope => [...(scopes.get(scope)?.keys() ?? [])])),
    *at(place, client) {
      for (const scope of scopesAround(place)) yield* scopes.get(scope)?.get(client) ?? [];
    },
    all: () =>
      [...scopes.values()].flatMap(clients => [...clients.values()].flatMap(own => [...own])),
    clear: () => scopes.clear(),
  };
}

const scopeText = (namespace: string, name: string): string => `${namespace}/${name}`;

const scopeOf = ({ namespace = '', name = '' }: WatchRequest): string => scopeText(namespace, name);

/** All that a change at a place belongs to: everything, its namespace, its name, both. */
const scopesAround = ({ namespace, name }: Place): string[] =>
  namespace === ''
    ? [scopeText('', ''), scopeText('', name)]
    : [
        scopeText('', ''),
        scopeText(namespace, ''),
        scopeText('', name),
        scopeText(namespace, name),
      ];

/** Whether the request is for one object. */
export const isExact = (request: WatchRequest, namespaced: boolean): boolean =>
  request.name !== undefined && (request.namespace !== undefined || !namespaced);

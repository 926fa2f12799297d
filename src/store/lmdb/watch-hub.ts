import { StoreError, type StoreEvent, type StoreWatch, type WatchListener } from '../store.ts';

/** Hands durable commits to the watches, in the order of their revisions. */
export interface WatchHub {
  /** The newest revision that was handed out. */
  readonly published: number;
  /** Takes commits in any order; passes them on without gaps. */
  publish(event: StoreEvent): void;
  subscribe(prefix: string, afterRevision: number, listener: WatchListener): StoreWatch;
  close(): void;
}

interface Subscription {
  readonly prefix: string;
  readonly afterRevision: number;
  readonly listener: WatchListener;
}

export function createWatchHub(revision: number): WatchHub {
  let published = revision;
  const early = new Map<number, StoreEvent>();
  const subscriptions = new Set<Subscription>();

  const deliver = (events: readonly StoreEvent[]): void => {
    for (const { prefix, afterRevision, listener } of subscriptions) {
      const mine = events.filter(
        event => event.revision > afterRevision && event.key.startsWith(prefix),
      );
      if (mine.length > 0) listener.onEvents(mine);
    }
  };

  return {
    get published() {
      return published;
    },
    publish(event) {
      early.set(event.revision, event);
      const ready: StoreEvent[] = [];
      for (
        let next = early.get(published + 1);
        next !== undefined;
        next = early.get(published + 1)
      ) {
        early.delete(next.revision);
        published = next.revision;
        ready.push(next);
      }
      if (ready.length > 0) deliver(ready);
    },
    subscribe(prefix, afterRevision, listener) {
      const subscription = { prefix, afterRevision, listener };
      subscriptions.add(subscription);
      return { close: () => void subscriptions.delete(subscription) };
    },
    close() {
      for (const { listener } of subscriptions) {
        listener.onError(new StoreError('closed', 'The store is closed'));
      }
      subscriptions.clear();
    },
  };
}

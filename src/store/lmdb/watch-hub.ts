import { guard } from '../../machinery/unexpected.ts';
import { StoreError, type StoreEvent, type StoreWatch, type WatchListener } from '../store.ts';

/** Hands durable commits to the watches, in the order of their revisions. */
export interface WatchHub {
  /** The newest revision that was handed out. */
  readonly published: number;
  /** Takes commits in any order; passes them on without gaps. */
  publish(event: StoreEvent): void;
  /** Resolves when that revision was handed out, or the hub is closed. */
  reached(revision: number): Promise<void>;
  /** @param replayed what the listener is given first: its changes after `afterRevision` until `published` */
  subscribe(
    prefix: string,
    afterRevision: number,
    listener: WatchListener,
    replayed: readonly StoreEvent[],
  ): StoreWatch;
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
  let waiting: { readonly revision: number; readonly wake: () => void }[] = [];

  const wakeUpTo = (revision: number): void => {
    const ready = waiting.filter(each => each.revision <= revision);
    waiting = waiting.filter(each => each.revision > revision);
    for (const { wake } of ready) wake();
  };

  const end = ({ listener }: Subscription, error: StoreError): void =>
    guard({ operation: 'end of a watch of the store' }, () => listener.onError(error))();

  // One listener's fault ends its own watch, and neither the writer nor the others hear of it.
  const give = (subscription: Subscription, events: readonly StoreEvent[]): void => {
    try {
      subscription.listener.onEvents(events);
    } catch (error) {
      subscriptions.delete(subscription);
      end(
        subscription,
        error instanceof StoreError
          ? error
          : new StoreError('unavailable', 'The listener failed', { cause: error }),
      );
    }
  };

  const deliver = (events: readonly StoreEvent[]): void => {
    for (const subscription of subscriptions) {
      const { prefix, afterRevision } = subscription;
      const mine = events.filter(
        event => event.revision > afterRevision && event.key.startsWith(prefix),
      );
      if (mine.length > 0) give(subscription, mine);
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
      if (ready.length === 0) return;
      deliver(ready);
      if (waiting.length > 0) wakeUpTo(published);
    },
    reached(revision) {
      if (published >= revision) return Promise.resolve();
      return new Promise(wake => waiting.push({ revision, wake }));
    },
    subscribe(prefix, afterRevision, listener, replayed) {
      const subscription = { prefix, afterRevision, listener };
      subscriptions.add(subscription);
      if (replayed.length > 0) give(subscription, replayed);
      return {
        get delivered() {
          return Math.max(afterRevision, published);
        },
        close: () => void subscriptions.delete(subscription),
      };
    },
    close() {
      const all = [...subscriptions];
      subscriptions.clear();
      wakeUpTo(Infinity);
      for (const each of all) end(each, new StoreError('closed', 'The store is closed'));
    },
  };
}

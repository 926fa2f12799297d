import { nextTurn } from '../turns.ts';
import { createVerdicts, type Change, type Verdicts } from './change.ts';
import type { Watcher, Watchers } from './watchers.ts';

/** A client whose watchers are so many changes behind lists anew. */
const maxPending = 10_000;
const maxPendingBytes = 16 * 1024 * 1024;

/** Tells watchers of changes: the server's own at once, those of a client in its turns. */
export interface Deliveries {
  add(change: Change): void;
  /**
   * Up to where the watchers of a client were told.
   * @param newest up to where changes were added
   */
  progress(client: string | undefined, newest: number): number;
  clear(): void;
}

export interface DeliveryOptions {
  readonly watchers: Watchers;
  /** Tells one watcher. May not throw. */
  send(watcher: Watcher, change: Change, verdicts: Verdicts): void;
  /** A client's watchers are too far behind. */
  overrun(client: string, change: Change): void;
}

interface Delivery {
  readonly change: Change;
  /** Of all watchers' filters about this change. */
  readonly verdicts: Verdicts;
}

/** What one client's watchers are still to be told, oldest first. */
interface Queue {
  readonly pending: Delivery[];
  bytes: number;
}

export function createDeliveries({ watchers, send, overrun }: DeliveryOptions): Deliveries {
  const queues = new Map<string, Queue>();

  /** Runs at once until the client's turn is over. */
  const run = async (client: string, queue: Queue): Promise<void> => {
    for (let [next] = queue.pending; next !== undefined; [next] = queue.pending) {
      const { change, verdicts } = next;
      const concerned = watchers.at(change, client)[Symbol.iterator]();
      for (;;) {
        const turn = nextTurn(client);
        if (turn !== undefined) await turn;
        const watcher = concerned.next();
        if (watcher.done === true || queues.get(client) !== queue) break;
        send(watcher.value, change, verdicts);
      }
      if (queues.get(client) !== queue) return;
      queue.pending.shift();
      queue.bytes -= change.object.json.length;
    }
    queues.delete(client);
  };

  const enqueue = (client: string, delivery: Delivery): void => {
    const { change } = delivery;
    let queue = queues.get(client);
    const isIdle = queue === undefined;
    if (queue === undefined) queues.set(client, (queue = { pending: [], bytes: 0 }));
    queue.pending.push(delivery);
    queue.bytes += change.object.json.length;
    if (queue.pending.length > maxPending || (!isIdle && queue.bytes > maxPendingBytes)) {
      queues.delete(client);
      overrun(client, change);
    } else if (isIdle) void run(client, queue);
  };

  return {
    add(change) {
      const delivery = { change, verdicts: createVerdicts(change) };
      const clients = watchers.clientsAt(change);
      // What the server decides by is true before anybody hears of the change.
      if (clients.has(undefined))
        for (const watcher of watchers.at(change, undefined))
          send(watcher, change, delivery.verdicts);
      for (const client of clients) if (client !== undefined) enqueue(client, delivery);
    },
    progress(client, newest) {
      const oldest = client === undefined ? undefined : queues.get(client)?.pending[0];
      return oldest === undefined ? newest : oldest.change.revision - 1;
    },
    clear: () => queues.clear(),
  };
}

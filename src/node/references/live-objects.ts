import type { KubeClient } from '../../client/client.ts';
import { readLive, type ReferencedObjects } from './referenced-objects.ts';

/** Strategy Get: every read asks the server. */
export const createLiveObjects = ({
  client,
}: {
  readonly client: KubeClient;
}): ReferencedObjects => ({
  open: () => undefined,
  close: () => undefined,
  get: reference => readLive(client, reference),
  onChange: () => undefined,
});

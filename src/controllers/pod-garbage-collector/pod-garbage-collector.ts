import { nodeResource } from '../../api/core/v1/node.ts';
import { podResource } from '../../api/core/v1/pod.ts';
import { absent } from '../../machinery/status.ts';
import { createWorkQueue } from '../../machinery/work-queue.ts';
import type { Controller } from '../controller.ts';

/** Deletes pods whose node is gone: nobody is left to end them. */
export const podGarbageCollector: Controller = {
  name: 'pod-garbage-collector',
  start({ client, informers, log }) {
    const pods = informers.of(podResource);
    const queue = createWorkQueue({
      async work(key) {
        const [namespace = '', name = ''] = key.split('/');
        const { uid } = pods.get(namespace, name)?.metadata ?? {};
        if (uid === undefined) return;
        await client
          .metadata(podResource)
          .delete(namespace, name, { uid, gracePeriodSeconds: 0 })
          .catch(absent);
      },
      onError: (pod, error) =>
        log.warn('Pod garbage collection failed', { pod, error: String(error) }),
    });
    informers.of(nodeResource).onChange(({ type, object }) => {
      if (type !== 'deleted') return;
      for (const { metadata, spec } of pods.list())
        if (spec.nodeName === object.metadata.name)
          queue.add(`${metadata.namespace ?? ''}/${metadata.name ?? ''}`);
    });
    return queue;
  },
};

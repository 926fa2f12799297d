import { podResource } from '../../api/core/v1/pod.ts';
import { serviceAccountResource } from '../../api/core/v1/service-account.ts';
import { resources } from '../../api/index.ts';
import type { ResourceRef } from '../../machinery/resource.ts';
import type { ObjectLookup } from '../authn/object-lookup.ts';
import type { ResourceHandlers, SubresourceHandler } from '../operation/operation.ts';
import { bindingHandler } from '../subresources/binding.ts';
import { evictionHandler } from '../subresources/eviction.ts';
import type { NodeProxy } from '../subresources/node-proxy.ts';
import { reviewHandlers, type ReviewServices } from '../subresources/reviews.ts';
import { tokenHandler } from '../subresources/token.ts';
import type { ResourceDefinition } from './resource-registry.ts';

export interface BuiltInServices extends ReviewServices {
  readonly lookup: ObjectLookup;
  readonly nodeProxy: NodeProxy;
}

/** The resources of `src/api`, with what they do beyond reading and writing their objects. */
export function builtInResources(services: BuiltInServices): readonly ResourceDefinition[] {
  const handlers = new Map<ResourceRef, ResourceHandlers>([
    [
      podResource,
      subresources({
        binding: bindingHandler,
        eviction: evictionHandler,
        log: services.nodeProxy.log,
      }),
    ],
    [
      serviceAccountResource,
      subresources({ token: tokenHandler(services.tokens, services.lookup) }),
    ],
    ...reviewHandlers(services),
  ]);
  return resources.map(descriptor => ({ descriptor, handlers: handlers.get(descriptor) ?? {} }));
}

const subresources = (
  handlers: Readonly<Record<string, SubresourceHandler>>,
): ResourceHandlers => ({
  subresources: new Map(Object.entries(handlers)),
});

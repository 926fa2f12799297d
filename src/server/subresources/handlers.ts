import type { RequestContext } from '../http/context.ts';
import type { VerbServices } from '../resource-entry.ts';

/** Executes a subresource that is more than a part of its object. Its verbs are those that the descriptor declares. */
export type SubresourceHandler = (context: RequestContext, services: VerbServices) => Promise<void>;

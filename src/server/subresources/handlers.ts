import type { RequestContext } from '../http/context.ts';
import type { VerbServices } from '../resource-entry.ts';

/** What a subresource does: its own verbs, on an object that may be looked up by it. */
export type SubresourceHandler = (context: RequestContext, services: VerbServices) => Promise<void>;

/** `pods/log`, `serviceaccounts/token` … */
export type SubresourceHandlers = Readonly<Record<string, SubresourceHandler>>;

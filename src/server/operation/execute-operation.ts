import type { Verb } from '../../machinery/resource.ts';
import { failure, methodNotAllowed } from '../../machinery/status.ts';
import type { AdmissionChain } from '../admission/admission.ts';
import type { ObjectLookup } from '../authn/object-lookup.ts';
import type { RequestContext } from '../http/context.ts';
import type { VerbServices } from '../resource-entry.ts';
import { bindingHandler } from '../subresources/binding.ts';
import { evictionHandler } from '../subresources/eviction.ts';
import { namespaceFinalizeHandler } from '../subresources/finalize.ts';
import type { SubresourceHandler } from '../subresources/handlers.ts';
import type { NodeProxy } from '../subresources/node-proxy.ts';
import { review, type ReviewServices } from '../subresources/reviews.ts';
import { tokenHandler } from '../subresources/token.ts';
import { create } from '../verbs/create.ts';
import { deleteCollection } from '../verbs/delete-collection.ts';
import { remove } from '../verbs/delete.ts';
import { get } from '../verbs/get.ts';
import { list } from '../verbs/list.ts';
import { patch } from '../verbs/patch.ts';
import { update } from '../verbs/update.ts';
import { watch } from '../verbs/watch.ts';

export interface ExecutionServices extends ReviewServices {
  readonly lookup: ObjectLookup;
  readonly admission: AdmissionChain;
  readonly nodeProxy: NodeProxy;
}

/** Executes a resource operation that was authorized, and answers it. @throws StatusError */
export type OperationExecutor = (context: RequestContext) => Promise<void>;

type Execution = (context: RequestContext, services: VerbServices) => Promise<void>;

const verbs: ReadonlyMap<Verb, Execution> = new Map([
  ['get', get],
  ['list', list],
  ['watch', watch],
  ['create', create],
  ['update', update],
  ['patch', patch],
  ['delete', remove],
  ['deletecollection', deleteCollection],
]);

/** The verbs that read or write a part of the object itself, such as its status. */
const partVerbs: ReadonlySet<Verb> = new Set(['get', 'update', 'patch']);

export function createOperationExecutor(options: ExecutionServices): OperationExecutor {
  const { admission, authorize, nodeProxy, tokens, lookup } = options;
  const handlers: ReadonlyMap<string, SubresourceHandler> = new Map([
    ['/pods/binding', bindingHandler],
    ['/pods/eviction', evictionHandler],
    ['/pods/log', nodeProxy.log],
    ['/serviceaccounts/token', tokenHandler(tokens, lookup)],
    ['/namespaces/finalize', namespaceFinalizeHandler],
  ]);

  const executionOf = ({ operation }: RequestContext): Execution => {
    const { entry, subresource, verb, connects } = operation;
    const { group, plural } = entry.descriptor;
    if (subresource === '') return verbs.get(verb) ?? refuseMethod;
    const handler = handlers.get(`${group}/${plural}/${subresource}`);
    if (handler !== undefined) return handler;
    if (connects) return requireUpgrade;
    return (partVerbs.has(verb) ? verbs.get(verb) : undefined) ?? refuseMethod;
  };

  return async context => {
    const { descriptor, objects } = context.operation.entry;
    if (objects === undefined) return review(context, descriptor, options);
    await executionOf(context)(context, { entry: { descriptor, objects }, admission, authorize });
  };
}

const refuseMethod: Execution = () => Promise.reject(methodNotAllowed());

const requireUpgrade: Execution = () =>
  Promise.reject(failure(400, 'BadRequest', 'Upgrade request required'));

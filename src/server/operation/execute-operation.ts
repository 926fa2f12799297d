import type { Verb } from '../../machinery/resource.ts';
import { failure, methodNotAllowed } from '../../machinery/status.ts';
import type { Admission } from '../admission/admission.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import { create } from '../verbs/create.ts';
import { deleteCollection } from '../verbs/delete-collection.ts';
import { remove } from '../verbs/delete.ts';
import { get } from '../verbs/get.ts';
import { list } from '../verbs/list.ts';
import { patch } from '../verbs/patch.ts';
import { update } from '../verbs/update.ts';
import { watch } from '../verbs/watch.ts';
import type { RequestContext, SubresourceHandler } from './operation.ts';

export interface ExecutionServices {
  readonly admission: Admission;
  readonly authorize: Authorizer;
}

/** Executes a resource operation that was authorized, and answers it. @throws StatusError */
export type OperationExecutor = (context: RequestContext) => Promise<void>;

type Execution = SubresourceHandler;

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

export function createOperationExecutor(services: ExecutionServices): OperationExecutor {
  const { admission, authorize } = services;
  return async context => {
    const { entry } = context.operation;
    const { descriptor, objects, handlers } = entry;
    if (objects === undefined) {
      if (handlers.review === undefined) throw methodNotAllowed();
      return handlers.review(context, descriptor);
    }
    await executionOf(context)(context, { entry: { ...entry, objects }, admission, authorize });
  };
}

function executionOf({ operation }: RequestContext): Execution {
  const { entry, subresource, verb, connects } = operation;
  if (subresource === '') return verbs.get(verb) ?? refuseMethod;
  const handler = entry.handlers.subresources?.get(subresource);
  if (handler !== undefined) return handler;
  if (connects) return requireUpgrade;
  return (partVerbs.has(verb) ? verbs.get(verb) : undefined) ?? refuseMethod;
}

const refuseMethod: Execution = () => Promise.reject(methodNotAllowed());

const requireUpgrade: Execution = () =>
  Promise.reject(failure(400, 'BadRequest', 'Upgrade request required'));

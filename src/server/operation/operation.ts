import type { FieldRequirement } from '../../machinery/selectors/field-selector.ts';
import type { Verb } from '../../machinery/resource.ts';
import type { StatusError } from '../../machinery/status.ts';
import type { UserInfo } from '../authn/authenticator.ts';
import type { Attributes } from '../authz/authorizer.ts';
import type { Query } from '../http/query.ts';
import type { ResourceEntry } from '../resource-entry.ts';

/** The right that an operation needs. */
export type RequiredRight = Required<Omit<Attributes, 'user'>>;

interface OperationBase {
  /** The right that authorization decides about. */
  readonly right: RequiredRight;
  readonly query: Query;
  /** The method was HEAD: the answer's head without its body. */
  readonly headOnly: boolean;
}

/** A verb on a declared resource or subresource. */
export interface ResourceOperation extends OperationBase {
  readonly type: 'resource';
  readonly entry: ResourceEntry;
  readonly verb: Verb;
  /** Declared by the descriptor; empty for the object itself. */
  readonly subresource: string;
  /** The subresource turns the connection into streams: the request has to be an upgrade. */
  readonly connects: boolean;
  /** Empty for cluster-scoped resources, and for all namespaces. */
  readonly namespace: string;
  /** Empty for the collection. */
  readonly name: string;
  /** Of a list, watch or deletecollection. */
  readonly fieldSelector: readonly FieldRequirement[];
  /** Why the query's fieldSelector cannot be parsed; absent when it can. */
  readonly fieldSelectorError?: string;
}

/** Discovery, health, metrics, OpenAPI: a GET of a path. */
export interface NonResourceOperation extends OperationBase {
  readonly type: 'non-resource';
  /** Without a trailing slash. */
  readonly path: string;
}

/** Nothing that is declared. It is authorized like the rest, so that a 404 or 405 reveals nothing, and then refused. */
export interface UndeclaredOperation extends OperationBase {
  readonly type: 'undeclared';
  readonly refusal: StatusError;
}

/**
 * What a request asks for, resolved once from its method and URL. Authorization, admission, verbs,
 * subresources, metrics and logs all act on this value; nothing reads the URL or the method again.
 */
export type Operation = ResourceOperation | NonResourceOperation | UndeclaredOperation;

/** The same right, asked for by a user. @param verb other than the operation's own */
export function attributesOf(
  { right }: Pick<Operation, 'right'>,
  user: UserInfo,
  verb = right.verb,
): Attributes {
  // Written out: every request makes one, and a spread costs a microsecond.
  return {
    user,
    verb,
    isResource: right.isResource,
    path: right.path,
    group: right.group,
    resource: right.resource,
    subresource: right.subresource,
    namespace: right.namespace,
    name: right.name,
    fieldSelector: right.fieldSelector,
  };
}

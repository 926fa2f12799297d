import type { IncomingHttpHeaders } from 'node:http';
import type { FieldRequirement } from '../../machinery/selectors/field-selector.ts';
import type { ResourceDescriptor, Verb } from '../../machinery/resource.ts';
import type { StatusError } from '../../machinery/status.ts';
import type { Admission } from '../admission/admission.ts';
import type { UserInfo } from '../authn/authenticator.ts';
import type { Attributes, Authorizer } from '../authz/authorizer.ts';
import type { Client } from '../http/limits/clients.ts';
import type { UnsentBytes } from '../http/limits/unsent-bytes.ts';
import type { AnyRequest, AnyResponse } from '../http/listener.ts';
import type { Query } from '../http/query.ts';
import type { ObjectStore } from '../registry/object-store.ts';

/** A resource in one of the versions in which it is served, and what serves it. */
export interface ResourceEntry {
  readonly descriptor: ResourceDescriptor;
  /** Converts to and from the version that is stored. Absent for reviews, which are answered and never stored. */
  readonly objects: ObjectStore | undefined;
  readonly handlers: ResourceHandlers;
}

/** What a resource does beyond reading and writing its objects. */
export interface ResourceHandlers {
  /** Answers what is created, where nothing is stored. */
  readonly review?: (context: RequestContext, descriptor: ResourceDescriptor) => Promise<void>;
  readonly subresources?: ReadonlyMap<string, SubresourceHandler>;
}

/** Executes a subresource that is more than a part of its object. Its verbs are those that the descriptor declares. */
export type SubresourceHandler = (context: RequestContext, services: VerbServices) => Promise<void>;

/** What the verbs work with. */
export interface VerbServices {
  readonly entry: ResourceEntry & { readonly objects: ObjectStore };
  readonly admission: Admission;
  readonly authorize: Authorizer;
}

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

/** One request on its way. */
export interface RequestContext<O extends Operation = ResourceOperation> {
  readonly operation: O;
  /** The operation's own. */
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly user: UserInfo;
  readonly request: AnyRequest;
  /** The whole of it; empty for what only reads. */
  readonly body: Buffer;
  readonly response: AnyResponse;
  /** Lines for `Warning:` headers, in order. */
  readonly warnings: string[];
  /** Whose share of the server the request takes. */
  readonly client: Client;
  /** Where the bytes of large answers that the client has not taken yet are accounted for. */
  readonly unsent: UnsentBytes;
  /** Aborts when the client goes or the server closes. */
  readonly signal: AbortSignal;
}

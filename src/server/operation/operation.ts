import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { FieldRequirement } from '../../machinery/selectors/field-selector.ts';
import type { ResourceDescriptor, Verb } from '../../machinery/resource.ts';
import type { StatusError } from '../../machinery/status.ts';
import type { Admission } from '../admission/admission.ts';
import type { UserInfo } from '../authn/authenticator.ts';
import type { Attributes, Authorizer } from '../authz/authorizer.ts';
import type { Client } from '../http/limits/clients.ts';
import type { Query } from '../http/query.ts';
import type { ListPage, ObjectStore, StoredObject } from '../registry/object-store.ts';

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
  readonly review?: (context: RequestContext, descriptor: ResourceDescriptor) => Promise<Answer>;
  /** Of subresources that are more than a part of their object. */
  readonly subresources?: ReadonlyMap<string, VerbHandler>;
}

/** Executes a verb. @throws StatusError */
export type VerbHandler = (context: RequestContext, services: VerbServices) => Promise<Answer>;

/** What is answered; how it is encoded and sent is decided by the outermost layer. */
export type Answer =
  | { readonly type: 'object'; readonly code: number; readonly object: StoredObject }
  | { readonly type: 'value'; readonly code: number; readonly value: object }
  | { readonly type: 'list'; readonly page: ListPage }
  | LinesAnswer
  | { readonly type: 'bytes'; readonly contentType: string; readonly content: Readable };

/** An answer that goes on, line after line: a watch. */
export interface LinesAnswer {
  readonly type: 'lines';
  /**
   * @param closed aborts when the client goes, is cut off, or the server closes
   * @throws StatusError when nothing was written yet
   */
  send(lines: LineStream, closed: AbortSignal): Promise<void>;
}

export interface LineStream {
  /** Sends the head of the answer, unless it is sent. */
  begin(): void;
  /** @param parts of one line. Not copied: they may be shared with other streams */
  write(...parts: readonly (Buffer | string)[]): void;
  /** While much waits to be taken, or other clients have their turn: resolves when there is room. */
  room(): Promise<void> | undefined;
  /** Ends the answer once all of it was taken. */
  end(): void;
}

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
  /** The whole of it; empty for what only reads. */
  readonly body: Buffer;
  /** Lines for `Warning:` headers, in order. */
  readonly warnings: string[];
  /** Whose share of the server the request takes. */
  readonly client: Client;
  /** Aborts when the client goes or the server closes. */
  readonly signal: AbortSignal;
}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '../../machinery/log.ts';
import { guard, reportUnexpected } from '../../machinery/unexpected.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { failure, methodNotAllowed, StatusError, unauthorized } from '../../machinery/status.ts';
import type { AdmissionChain } from '../admission/admission.ts';
import {
  anonymous,
  certificateAuthenticator,
  type Authenticator,
  type UserInfo,
} from '../authn/authenticator.ts';
import type { IssuerDocuments } from '../authn/issuer-documents.ts';
import { actingUser } from '../authn/impersonation.ts';
import type { ObjectLookup } from '../authn/object-lookup.ts';
import type { ServiceAccountTokens } from '../authn/service-account-tokens.ts';
import { mustAllow, type Authorizer } from '../authz/authorizer.ts';
import type { RuleResolver } from '../authz/rule-resolver.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { OpenApi } from '../openapi/documents.ts';
import type { ResourceEntry, VerbServices } from '../resource-entry.ts';
import { bindingHandler } from '../subresources/binding.ts';
import { evictionHandler } from '../subresources/eviction.ts';
import type { SubresourceHandlers } from '../subresources/handlers.ts';
import { namespaceFinalizeHandler } from '../subresources/finalize.ts';
import type { NodeProxy } from '../subresources/node-proxy.ts';
import { review } from '../subresources/reviews.ts';
import { tokenHandler } from '../subresources/token.ts';
import { create } from '../verbs/create.ts';
import { deleteCollection } from '../verbs/delete-collection.ts';
import { remove } from '../verbs/delete.ts';
import { get } from '../verbs/get.ts';
import { list } from '../verbs/list.ts';
import { patch } from '../verbs/patch.ts';
import { update } from '../verbs/update.ts';
import { watch } from '../verbs/watch.ts';
import { attributesOf } from './attributes.ts';
import { ClientGoneError, type RequestContext } from './context.ts';
import { credentialsOf } from './credentials.ts';
import type { AnyRequest, AnyResponse } from './listener.ts';
import type { Metrics } from './metrics.ts';
import { nonResource } from './non-resource.ts';
import { requestInfo, type RequestInfo } from './request-info.ts';
import { respondError, toStatusError } from './respond.ts';

export interface PipelineOptions {
  readonly entries: readonly ResourceEntry[];
  readonly tokens: ServiceAccountTokens;
  readonly lookup: ObjectLookup;
  readonly authorize: Authorizer;
  readonly rulesFor: RuleResolver;
  readonly admission: AdmissionChain;
  readonly discovery: Discovery;
  readonly openApi: OpenApi;
  readonly nodeProxy: NodeProxy;
  readonly metrics: Metrics;
  readonly version: string;
  readonly issuer: IssuerDocuments;
  readonly log: Logger;
  /** Aborts when the server closes. */
  readonly signal: AbortSignal;
}

export interface Pipeline {
  handle(request: AnyRequest, response: AnyResponse): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

type Verb = (context: RequestContext, services: VerbServices) => Promise<void>;
const verbs: Readonly<Record<string, Verb>> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: remove,
  deletecollection: deleteCollection,
};
/** Upgrades, which may also come as plain requests that are then refused. */
const streams = new Set(['exec', 'attach', 'portforward']);

/** authn → impersonation → authz → verb. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { entries, authorize, admission, log, nodeProxy } = options;
  const byPath = new Map(
    entries.map(entry => {
      const { group, version, plural } = entry.descriptor;
      return [pathOf(group, version, plural), entry];
    }),
  );
  const authenticators: readonly Authenticator[] = [
    certificateAuthenticator,
    options.tokens.authenticator,
  ];
  const subresources: SubresourceHandlers = {
    'pods/binding': bindingHandler,
    'pods/eviction': evictionHandler,
    'pods/log': nodeProxy.log,
    'serviceaccounts/token': tokenHandler(options.tokens, options.lookup),
    'namespaces/finalize': namespaceFinalizeHandler,
  };

  const senderOf = async (request: AnyRequest): Promise<UserInfo> => {
    const credentials = credentialsOf(request);
    for (const authenticator of authenticators) {
      const user = await authenticator(credentials);
      if (user !== undefined) return user;
    }
    if (credentials.token !== undefined) throw unauthorized();
    return anonymous;
  };
  const userOf = async (request: AnyRequest): Promise<UserInfo> =>
    actingUser(await senderOf(request), request, authorize);

  const serve = async (context: RequestContext): Promise<void> => {
    const { info } = context;
    if (!info.isResource) return nonResource(context, options);
    const entry = byPath.get(pathOf(info.group, info.version, info.resource));
    if (entry === undefined) throw noSuchResource();
    const { descriptor, objects } = entry;
    if (objects === undefined) {
      if (info.verb !== 'create') throw methodNotAllowed();
      return review(context, descriptor, options);
    }
    const services: VerbServices = { entry: { descriptor, objects }, admission, authorize };
    if (info.subresource !== '') return serveSubresource(context, services);
    const verb = verbs[info.verb];
    if (verb === undefined || !isRouted(info, descriptor)) throw methodNotAllowed();
    await verb(context, services);
  };

  const serveSubresource = async (
    context: RequestContext,
    services: VerbServices,
  ): Promise<void> => {
    const { info } = context;
    const { descriptor } = services.entry;
    const known = descriptor.subresources?.[info.subresource];
    if (known === undefined) throw noSuchResource();
    const handler = subresources[`${descriptor.plural}/${info.subresource}`];
    if (handler !== undefined) return handler(context, services);
    if (streams.has(info.subresource)) throw failure(400, 'BadRequest', 'Upgrade request required');
    if (info.verb === 'get') return get(context, services);
    if (info.verb === 'update') return update(context, services);
    if (info.verb === 'patch') return patch(context, services);
    throw methodNotAllowed();
  };

  return {
    async handle(request, response) {
      const startedAt = performance.now();
      const { path, query } = splitUrl(request.url);
      const info = requestInfo(request.method ?? 'GET', path, query);
      const { headers } = request;
      const end = endOf(response, options.signal);
      const observe = (): void =>
        options.metrics.observe({
          verb: info.verb,
          resource: info.resource,
          code: response.statusCode,
          seconds: (performance.now() - startedAt) / 1000,
        });
      response.once('close', guard({ log, operation: 'metrics of a request' }, observe));
      const warnings: string[] = [];
      try {
        const user = await userOf(request);
        mustAllow(authorize, attributesOf(info, user, query));
        await serve({
          info,
          query,
          headers,
          user,
          request,
          response,
          warnings,
          get signal() {
            return end();
          },
        });
      } catch (error) {
        if (error instanceof ClientGoneError) return void response.end();
        const status = toStatusError(error);
        if (status.code >= 500 && !(error instanceof StatusError && status.code !== 500)) {
          reportUnexpected(log, `${info.verb} ${path}`, status.cause ?? error);
        }
        await respondError({ response, headers, query, warnings }, status).catch(() =>
          response.end(),
        );
      }
    },
    async upgrade(request, socket, head) {
      const { path, query } = splitUrl(request.url);
      const info = requestInfo(request.method ?? 'GET', path, query);
      try {
        const user = await userOf(request);
        // POST or GET, an upgrade into a container is `create`.
        mustAllow(authorize, attributesOf({ ...info, verb: 'create' }, user, query));
        if (info.resource !== 'pods' || !streams.has(info.subresource)) throw noSuchResource();
        await nodeProxy.stream({ info, query, request, socket, head });
      } catch (error) {
        const { status, cause } = toStatusError(error);
        if (status.code === 500) reportUnexpected(log, `upgrade ${path}`, cause ?? error);
        const body = JSON.stringify(status);
        socket.end(
          `HTTP/1.1 ${status.code} ${status.reason ?? 'Error'}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
        );
      }
    },
  };
}

/** Aborts with the client or the server. Made only for those who ask: most requests end before. */
function endOf(response: AnyResponse, server: AbortSignal): () => AbortSignal {
  let signal: AbortSignal | undefined;
  return () => {
    if (signal === undefined) {
      const gone = new AbortController();
      if (response.closed) gone.abort();
      response.once('close', () => gone.abort());
      signal = AbortSignal.any([gone.signal, server]);
    }
    return signal;
  };
}

/** Objects are made in the collection of their namespace, and written where they are. */
function isRouted({ verb, name, namespace }: RequestInfo, descriptor: ResourceDescriptor): boolean {
  if (!(descriptor.verbs as readonly string[]).includes(verb)) return false;
  if (verb === 'create' || verb === 'deletecollection')
    return name === '' && (!descriptor.namespaced || namespace !== '');
  return name !== '' || (verb !== 'update' && verb !== 'patch');
}

const pathOf = (group: string, version: string, plural: string): string =>
  `${group}/${version}/${plural}`;

/** A request's path, and what is behind its `?`. */
function splitUrl(url = '/'): { path: string; query: URLSearchParams } {
  const at = url.indexOf('?');
  return at < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

const noSuchResource = (): StatusError =>
  failure(404, 'NotFound', 'the server could not find the requested resource', {});

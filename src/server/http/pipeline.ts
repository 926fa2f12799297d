import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '../../machinery/log.ts';
import { guard, reportUnexpected } from '../../machinery/unexpected.ts';
import { noSuchResource, StatusError, unauthorized } from '../../machinery/status.ts';
import {
  anonymous,
  certificateAuthenticator,
  type Authenticator,
  type UserInfo,
} from '../authn/authenticator.ts';
import type { IssuerDocuments } from '../authn/issuer-documents.ts';
import { actingUser } from '../authn/impersonation.ts';
import type { ServiceAccountTokens } from '../authn/service-account-tokens.ts';
import { mustAllow } from '../authz/authorizer.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { OpenApi } from '../openapi/documents.ts';
import { createOperationExecutor, type ExecutionServices } from '../operation/execute-operation.ts';
import {
  attributesOf,
  type Operation,
  type RequestContext,
  type ResourceOperation,
} from '../operation/operation.ts';
import { createOperationResolver } from '../operation/resolve-operation.ts';
import { isDamaged } from '../registry/store-errors.ts';
import { nextTurn } from '../turns.ts';
import type { ServedResources } from '../resources/resource-registry.ts';
import type { NodeProxy } from '../subresources/node-proxy.ts';
import { ClientGoneError } from './client-gone-error.ts';
import { credentialsOf } from './credentials.ts';
import type { Health } from './health.ts';
import { createBodyBytes, defaultBodyLimits } from './limits/body-bytes.ts';
import { clientOf, type Client } from './limits/clients.ts';
import { createInFlight, type InFlightLimits } from './limits/in-flight.ts';
import { createBodyReceiver } from './limits/receive-body.ts';
import { createUnsentBytes } from './limits/unsent-bytes.ts';
import type { AnyRequest, AnyResponse } from './listener.ts';
import type { Metrics, RequestKind, RequestObservation } from './metrics.ts';
import { nonResource } from './non-resource.ts';
import { isOver } from './outgoing.ts';
import { booleanOf } from './query.ts';
import { respondError, toStatusError } from './respond.ts';

export interface PipelineOptions extends ExecutionServices {
  readonly resources: ServedResources;
  readonly tokens: Pick<ServiceAccountTokens, 'authenticator'>;
  readonly nodeProxy: Pick<NodeProxy, 'stream'>;
  readonly discovery: Discovery;
  readonly openApi: OpenApi;
  readonly metrics: Metrics;
  readonly version: string;
  readonly issuer: IssuerDocuments;
  readonly health: Health;
  readonly log: Logger;
  readonly inFlight: InFlightLimits;
  /** Aborts when the server closes. */
  readonly signal: AbortSignal;
}

export interface Pipeline {
  handle(request: AnyRequest, response: AnyResponse): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

const noBody = Buffer.alloc(0);
const sweepEveryMs = 5000;

/** resolve → authenticate → impersonate → authorize → execute. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { authorize, log, nodeProxy, tokens } = options;
  const resolve = createOperationResolver(options.resources);
  const execute = createOperationExecutor(options);
  const authenticators: readonly Authenticator[] = [certificateAuthenticator, tokens.authenticator];

  const inFlight = createInFlight(options.inFlight, kind => options.metrics.dropped(kind));
  const bodyBytes = createBodyBytes(defaultBodyLimits);
  const bodies = createBodyReceiver();
  const sweep = setInterval(() => bodies.sweep(), sweepEveryMs).unref();
  options.signal.addEventListener('abort', () => clearInterval(sweep), { once: true });
  const unsent = createUnsentBytes();

  const senderOf = async (request: AnyRequest): Promise<UserInfo> => {
    const credentials = credentialsOf(request);
    for (const authenticator of authenticators) {
      const user = await authenticator(credentials);
      if (user !== undefined) return user;
    }
    if (credentials.token !== undefined) throw unauthorized();
    return anonymous;
  };

  /** Waits until the client may use the event loop. */
  const turn = async ({ key, isExempt }: Client): Promise<void> => {
    const waiting = isExempt ? undefined : nextTurn(key);
    if (waiting !== undefined) await waiting;
  };
  /** Takes the client's seat. @throws StatusError TooManyRequests */
  const takeSeat = (client: Client, kind: RequestKind, closing: Closing): void => {
    const end = inFlight.admit(client, kind);
    if (end !== undefined) onClose(closing, end);
  };

  /**
   * The user who may do what is asked, and the client whose share of the server it takes. What writes takes its seat
   * when its body is there: until then it is the client that takes its time.
   * @param closing of what the request comes by: gives back what was admitted
   * @throws StatusError Unauthorized, Forbidden, TooManyRequests
   */
  const admittedUserOf = async (
    request: AnyRequest,
    operation: Operation,
    closing: Closing,
  ): Promise<{ user: UserInfo; client: Client }> => {
    const sender = await senderOf(request);
    const client = clientOf(sender, request);
    const kind = requestKindOf(operation);
    if (kind !== 'mutating' && !isProbe(operation)) takeSeat(client, kind, closing);
    await turn(client);
    const user = actingUser(sender, request, authorize);
    mustAllow(authorize, attributesOf(operation, user));
    return { user, client };
  };

  const bodyOf = async (
    request: AnyRequest,
    operation: Operation,
    { client, response }: { client: Client; response: AnyResponse },
  ): Promise<Buffer> => {
    if (requestKindOf(operation) !== 'mutating') return noBody;
    const room = bodyBytes.admit(client, declaredLengthOf(request));
    onClose(response, () => room.giveBack());
    const body = await bodies.receive(request, received => room.grow(received));
    takeSeat(client, 'mutating', response);
    await turn(client);
    return body;
  };

  return {
    async handle(request, response) {
      const startedAt = performance.now();
      const operation = resolve(request.method ?? '', request.url ?? '/');
      const { query } = operation;
      const { headers } = request;
      const end = endOf(response, options.signal);
      let isAuthorized = false;
      const observe = (): void =>
        options.metrics.observe({
          ...labelsOf(operation, isAuthorized),
          code: response.statusCode,
          seconds: (performance.now() - startedAt) / 1000,
        });
      response.on('close', guard({ log, operation: 'metrics of a request' }, observe));
      const warnings: string[] = [];
      try {
        const { user, client } = await admittedUserOf(request, operation, response);
        isAuthorized = true;
        if (operation.type === 'undeclared') throw operation.refusal;
        const body = await bodyOf(request, operation, { client, response });
        const contextOf = <O extends Operation>(served: O): RequestContext<O> => ({
          operation: served,
          query,
          headers,
          user,
          request,
          body,
          response,
          warnings,
          client,
          unsent,
          get signal() {
            return end();
          },
        });
        await (operation.type === 'resource'
          ? execute(contextOf(operation))
          : nonResource(contextOf(operation), options));
      } catch (error) {
        if (error instanceof ClientGoneError) return void response.end();
        const status = toStatusError(error);
        // The store logs a damaged object itself, once.
        const isLogged = isDamaged(error) || (error instanceof StatusError && status.code !== 500);
        if (status.code >= 500 && !isLogged) {
          reportUnexpected(log, operationText(operation, isAuthorized), status.cause ?? error);
        }
        await respondError({ response, headers, query, warnings }, status).catch(() =>
          response.end(),
        );
      }
    },
    async upgrade(request, socket, head) {
      const operation = resolve(request.method ?? '', request.url ?? '/');
      try {
        await admittedUserOf(request, operation, socket);
        if (operation.type === 'undeclared') throw operation.refusal;
        if (!connects(operation)) throw noSuchResource();
        await nodeProxy.stream({ operation, request, socket, head });
      } catch (error) {
        const { status, cause } = toStatusError(error);
        if (status.code === 500) reportUnexpected(log, 'upgrade', cause ?? error);
        const body = JSON.stringify(status);
        socket.end(
          `HTTP/1.1 ${status.code} ${status.reason ?? 'Error'}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
        );
      }
    },
  };
}

/** For metrics and logs: declared names only, and none before the request was authorized. */
function labelsOf(operation: Operation, isAuthorized: boolean): OperationLabels {
  if (!isAuthorized || operation.type === 'undeclared') return noLabels;
  if (operation.type === 'non-resource') return { ...noLabels, verb: 'get' };
  const { verb, subresource, entry } = operation;
  return { verb, resource: entry.descriptor, subresource };
}

/** For the log: `get secrets`, `update pods/status`; `request` where nothing is declared or allowed. */
function operationText(operation: Operation, isAuthorized: boolean): string {
  const { verb, resource, subresource } = labelsOf(operation, isAuthorized);
  const plural = resource?.plural ?? '';
  return `${verb} ${subresource === '' ? plural : `${plural}/${subresource}`}`.trim() || 'request';
}

type OperationLabels = Pick<RequestObservation, 'verb' | 'resource' | 'subresource'>;
const noLabels: OperationLabels = { verb: '', subresource: '' };

type Closing = AnyResponse | Duplex;

function onClose(closing: Closing, release: () => void): void {
  if (isOver(closing)) release();
  else closing.on('close', release);
}

/** As apiserver sorts them: watches and streams out of containers are not expected to end soon. */
function requestKindOf(operation: Operation): RequestKind {
  if (operation.type !== 'resource') return 'readOnly';
  const { verb, subresource, query } = operation;
  if (verb === 'watch' || connects(operation)) return 'longRunning';
  if (subresource === 'log' && booleanOf(query, 'follow')) return 'longRunning';
  return verb === 'get' || verb === 'list' ? 'readOnly' : 'mutating';
}

/** Kubernetes' flow schema `probes`: whether the server is well is answered however busy it is. */
const isProbe = (operation: Operation): boolean =>
  operation.type === 'non-resource' && probePaths.has(operation.path);
const probePaths: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);

/** 0 where it is not known, as with bodies in chunks. */
function declaredLengthOf({ headers }: AnyRequest): number {
  const declared = Number(headers['content-length']);
  return Number.isNaN(declared) ? 0 : declared;
}

const connects = (operation: Operation): operation is ResourceOperation =>
  operation.type === 'resource' && operation.connects;

/** Aborts with the client or the server. Made on demand: most requests end before anything asks for it. */
function endOf(response: AnyResponse, server: AbortSignal): () => AbortSignal {
  let signal: AbortSignal | undefined;
  return () => {
    if (signal === undefined) {
      const gone = new AbortController();
      if (isOver(response)) gone.abort();
      response.once('close', () => gone.abort());
      signal = AbortSignal.any([gone.signal, server]);
    }
    return signal;
  };
}

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
import { attributesOf, type Operation, type ResourceOperation } from '../operation/operation.ts';
import { createOperationResolver } from '../operation/resolve-operation.ts';
import { isDamaged } from '../registry/store-errors.ts';
import { nextTurn } from '../turns.ts';
import type { ServedResources } from '../resources/resource-registry.ts';
import type { NodeProxy } from '../subresources/node-proxy.ts';
import { ClientGoneError, type RequestContext } from './context.ts';
import { credentialsOf } from './credentials.ts';
import type { Health } from './health.ts';
import { createBodyBytes, defaultBodyLimits } from './limits/body-bytes.ts';
import { clientOf, type Client } from './limits/clients.ts';
import { createInFlight, defaultInFlightLimits, type InFlightLimits } from './limits/in-flight.ts';
import { createUnsentBytes } from './limits/unsent-bytes.ts';
import type { AnyRequest, AnyResponse } from './listener.ts';
import type { Metrics, RequestKind, RequestObservation } from './metrics.ts';
import { nonResource } from './non-resource.ts';
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
  /** @default kube-apiserver's */
  readonly inFlight?: InFlightLimits;
  /** Aborts when the server closes. */
  readonly signal: AbortSignal;
}

export interface Pipeline {
  handle(request: AnyRequest, response: AnyResponse): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

/** resolve → authenticate → impersonate → authorize → execute. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { authorize, log, nodeProxy, tokens } = options;
  const resolve = createOperationResolver(options.resources);
  const execute = createOperationExecutor(options);
  const authenticators: readonly Authenticator[] = [certificateAuthenticator, tokens.authenticator];

  const inFlight = createInFlight(options.inFlight ?? defaultInFlightLimits, kind =>
    options.metrics.dropped(kind),
  );
  const bodies = createBodyBytes(defaultBodyLimits);
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

  /**
   * The user who may do what is asked, and the client whose share of the server it takes.
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
    const end = inFlight.admit(client, kind);
    if (end !== undefined) {
      onClose(closing, end);
      const turn = nextTurn(client.key);
      if (turn !== undefined) await turn;
    }
    if (kind === 'mutating') onClose(closing, bodies.admit(client, declaredLengthOf(request)));
    const user = actingUser(sender, request, authorize);
    mustAllow(authorize, attributesOf(operation, user));
    return { user, client };
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
        const contextOf = <O extends Operation>(served: O): RequestContext<O> => ({
          operation: served,
          query,
          headers,
          user,
          request,
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

interface Closing {
  readonly closed: boolean;
  on(event: 'close', listener: () => void): unknown;
}

function onClose(closing: Closing, release: () => void): void {
  if (closing.closed) release();
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

/** Undefined where the body may be of any length. */
function declaredLengthOf({ headers }: AnyRequest): number | undefined {
  const declared = Number(headers['content-length'] ?? Number.NaN);
  return Number.isNaN(declared) ? undefined : declared;
}

const connects = (operation: Operation): operation is ResourceOperation =>
  operation.type === 'resource' && operation.connects;

/** Aborts with the client or the server. Made on demand: most requests end before anything asks for it. */
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

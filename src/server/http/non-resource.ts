import type { Discovery } from '../discovery/discovery.ts';
import { versionInfo } from '../discovery/discovery.ts';
import type { OpenApi } from '../openapi/documents.ts';
import type { IssuerDocuments } from '../authn/issuer-documents.ts';
import type { NonResourceOperation } from '../operation/operation.ts';
import type { RequestContext } from '../operation/operation.ts';
import { hasCurrent } from './etag.ts';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';
import { respond } from './respond.ts';

/** kubectl asks for v2 in this form alone. */
const v2ProtobufType = 'com.github.proto-openapi.spec.v2';

export interface NonResourceServices {
  readonly discovery: Discovery;
  readonly openApi: OpenApi;
  readonly metrics: Metrics;
  readonly version: string;
  readonly issuer: IssuerDocuments;
  readonly health: Health;
}

/** Paths that are no resources: discovery, health, version, OpenAPI, metrics. */
export async function nonResource(
  context: RequestContext<NonResourceOperation>,
  services: NonResourceServices,
): Promise<void> {
  const { operation, headers, query } = context;
  const { path } = operation;
  const discovered = services.discovery.document(path, headers.accept);
  if (discovered !== undefined) return respondDocument(context, discovered);
  if (path === '/openapi/v2' && headers.accept?.includes(v2ProtobufType) === true) {
    return respondDocument(context, {
      ...services.openApi.v2Protobuf(),
      contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
    });
  }
  if (path.startsWith('/openapi/')) {
    const document = services.openApi.document(path);
    if (document !== undefined) return respondDocument(context, document);
  }
  switch (path) {
    case '/version':
      return respond(context, 200, JSON.stringify(versionInfo(services.version)));
    case '/metrics':
      return respond(context, 200, await services.metrics.render(), 'text/plain; version=0.0.4');
    case '/':
      return respond(
        context,
        200,
        JSON.stringify({
          paths: [
            '/api',
            '/api/v1',
            '/apis',
            '/healthz',
            '/livez',
            '/metrics',
            '/openapi/v2',
            '/openapi/v3',
            '/readyz',
            '/version',
          ],
        }),
      );
    case '/.well-known/openid-configuration':
      return respond(context, 200, services.issuer.configuration);
    case '/openid/v1/jwks':
      return respond(context, 200, services.issuer.keys, 'application/jwk-set+json');
    default:
  }
  const health = services.health.report(path, {
    verbose: query.has('verbose'),
    exclude: query.getAll('exclude'),
  });
  if (health !== undefined)
    return respond(context, health.code, health.text, 'text/plain; charset=utf-8');
  return respond(context, 404, '404 page not found\n', 'text/plain; charset=utf-8');
}

interface ServedDocument {
  readonly body: Buffer;
  readonly contentType?: string;
  readonly etag: string;
}

/** Sends a document, or says that the client has it already. */
function respondDocument(
  context: RequestContext<NonResourceOperation>,
  { body, contentType = 'application/json', etag }: ServedDocument,
): Promise<void> {
  const { response, headers } = context;
  response.setHeader('etag', `"${etag}"`);
  response.setHeader('vary', 'Accept');
  if (!hasCurrent(headers['if-none-match'], etag)) return respond(context, 200, body, contentType);
  response.statusCode = 304;
  response.end();
  return Promise.resolve();
}

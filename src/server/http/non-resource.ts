import type { Discovery } from '../discovery/discovery.ts';
import { versionInfo } from '../discovery/discovery.ts';
import type { OpenApi } from '../openapi/documents.ts';
import type { IssuerDocuments } from '../authn/issuer-documents.ts';
import type { NonResourceOperation } from '../operation/operation.ts';
import type { RequestContext } from './context.ts';
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
  /** Why the store refuses writes at present. */
  readonly storeFault: () => string | undefined;
}

/** Paths that are no resources: discovery, health, version, OpenAPI, metrics. */
export async function nonResource(
  context: RequestContext<NonResourceOperation>,
  services: NonResourceServices,
): Promise<void> {
  const { operation, headers, query } = context;
  const { path } = operation;
  const discovered = services.discovery.document(path, headers.accept);
  if (discovered !== undefined)
    return respond(context, 200, discovered.body, discovered.contentType);
  if (path === '/openapi/v2' && headers.accept?.includes(v2ProtobufType) === true) {
    return respond(
      context,
      200,
      services.openApi.v2Protobuf(),
      'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
    );
  }
  if (path.startsWith('/openapi/')) {
    const document = services.openApi.document(path);
    if (document !== undefined) {
      context.response.setHeader('etag', `"${document.etag}"`);
      return respond(context, 200, document.body);
    }
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
  const [, endpoint, check] = /^\/(healthz|livez|readyz)(?:\/(ping|log|etcd))?$/.exec(path) ?? [];
  if (endpoint !== undefined) {
    // A restart would not mend the disk: the server is alive all the same.
    const asksStore = endpoint !== 'livez' && (check === undefined || check === 'etcd');
    const fault = asksStore ? services.storeFault() : undefined;
    const verdict = fault === undefined ? 'passed' : 'failed';
    const etcd = fault === undefined ? '[+]etcd ok' : `[-]etcd failed: ${fault}`;
    const report = `[+]ping ok\n[+]log ok\n${etcd}\n${endpoint} check ${verdict}\n`;
    const body = query.has('verbose') || fault !== undefined ? report : 'ok';
    return respond(context, fault === undefined ? 200 : 500, body, 'text/plain; charset=utf-8');
  }
  return respond(context, 404, '404 page not found\n', 'text/plain; charset=utf-8');
}

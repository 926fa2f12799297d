import { createHash } from 'node:crypto';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import { encodeOpenApiV2 } from './v2-protobuf.ts';
import { openApiSchemas, type RefPrefix } from './schemas.ts';

/** A document as it is served. */
export interface OpenApiDocument {
  readonly body: Buffer;
  readonly etag: string;
}

export interface OpenApi {
  /** Of `/openapi/v2`, `/openapi/v3` or a path below; undefined for others. Made when first asked for. */
  document(path: string): OpenApiDocument | undefined;
  /** v2 in protobuf. */
  v2Protobuf(): Buffer;
}

export function createOpenApi(
  descriptors: readonly ResourceDescriptor[],
  version: string,
): OpenApi {
  const groups = new Map<string, ResourceDescriptor[]>();
  for (const descriptor of descriptors) {
    const { group, version: of } = descriptor;
    const path = group === '' ? `api/${of}` : `apis/${group}/${of}`;
    groups.set(path, [...(groups.get(path) ?? []), descriptor]);
  }
  const info = { title: 'Kubernetes', version };
  const made = new Map<string, OpenApiDocument>();
  const v3 = (members: readonly ResourceDescriptor[]): object => ({
    openapi: '3.0.0',
    info,
    paths: pathsOf(members, '#/components/schemas/'),
    components: { schemas: definitionsOf(members, '#/components/schemas/') },
  });
  const make = (path: string): object | undefined => {
    if (path === '/openapi/v2') {
      return {
        swagger: '2.0',
        info,
        paths: pathsOf(descriptors, '#/definitions/'),
        definitions: definitionsOf(descriptors, '#/definitions/'),
      };
    }
    if (path === '/openapi/v3') {
      return {
        paths: Object.fromEntries(
          [...groups.keys()].map(key => [
            key,
            {
              serverRelativeURL: `/openapi/v3/${key}?hash=${document(`/openapi/v3/${key}`)?.etag ?? ''}`,
            },
          ]),
        ),
      };
    }
    const members = groups.get(path.slice('/openapi/v3/'.length));
    return members === undefined ? undefined : v3(members);
  };
  const document = (path: string): OpenApiDocument | undefined => {
    const known = made.get(path);
    if (known !== undefined) return known;
    const value = make(path);
    if (value === undefined) return undefined;
    const body = Buffer.from(JSON.stringify(value));
    const fresh = {
      body,
      etag: createHash('sha256').update(body).digest('hex').toUpperCase().slice(0, 64),
    };
    made.set(path, fresh);
    return fresh;
  };
  let protobuf: Buffer | undefined;
  return {
    document,
    v2Protobuf: () =>
      (protobuf ??= encodeOpenApiV2(make('/openapi/v2') as Record<string, unknown>)),
  };
}

const gvk = ({ group, version, kind }: ResourceDescriptor): object => ({ group, version, kind });

function definitionsOf(
  descriptors: readonly ResourceDescriptor[],
  refPrefix: RefPrefix,
): Record<string, object> {
  const schemas = openApiSchemas(
    descriptors.map(descriptor => descriptor.schema),
    refPrefix,
  );
  for (const descriptor of descriptors) {
    const { name } = descriptor.schema;
    schemas.set(name, {
      ...schemas.get(name),
      'x-kubernetes-group-version-kind': [gvk(descriptor)],
    });
  }
  return Object.fromEntries(schemas);
}

function pathsOf(
  descriptors: readonly ResourceDescriptor[],
  refPrefix: RefPrefix,
): Record<string, object> {
  const paths: Record<string, object> = {};
  for (const descriptor of descriptors) {
    const { plural, namespaced, verbs } = descriptor;
    const prefix = descriptor.group === '' ? '/api/' : '/apis/';
    const base = `${prefix}${apiVersionOf(descriptor)}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}`;
    const has = (verb: string): boolean => (verbs as readonly string[]).includes(verb);
    const operation = (action: string, method: string): object =>
      operationOf(descriptor, action, method, refPrefix);
    paths[base] = {
      ...(has('list') ? { get: operation('list', 'get') } : {}),
      ...(has('create') ? { post: operation('post', 'post') } : {}),
    };
    if (!has('get')) continue;
    paths[`${base}/{name}`] = {
      get: operation('get', 'get'),
      ...(has('update') ? { put: operation('put', 'put') } : {}),
      ...(has('patch') ? { patch: operation('patch', 'patch') } : {}),
      ...(has('delete') ? { delete: operation('delete', 'delete') } : {}),
    };
  }
  return paths;
}

/** kubectl looks here for what a write accepts: `fieldValidation` and `dryRun`. */
function operationOf(
  descriptor: ResourceDescriptor,
  action: string,
  method: string,
  refPrefix: RefPrefix,
): object {
  const v3 = refPrefix === '#/components/schemas/';
  const names =
    method === 'get'
      ? ['labelSelector', 'fieldSelector', 'limit', 'watch']
      : method === 'delete'
        ? ['dryRun', 'gracePeriodSeconds', 'propagationPolicy']
        : ['dryRun', 'fieldManager', 'fieldValidation'];
  const reference = { $ref: `${refPrefix}${descriptor.schema.name}` };
  return {
    description: `${action} ${descriptor.kind}`,
    operationId: `${action}${descriptor.group}${descriptor.kind}`,
    parameters: names.map(name =>
      v3
        ? { name, in: 'query', schema: { type: 'string', uniqueItems: true } }
        : { name, in: 'query', type: 'string', uniqueItems: true },
    ),
    responses: {
      200: v3
        ? { description: 'OK', content: { 'application/json': { schema: reference } } }
        : { description: 'OK', schema: reference },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk(descriptor),
  };
}

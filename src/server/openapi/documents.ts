import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import { etagOf } from '../http/etag.ts';
import type { ServedResources } from '../resources/resource-registry.ts';
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
  v2Protobuf(): OpenApiDocument;
}

const v3Prefix = '/openapi/v3';

/** The documents about a group are made anew when its resources change. */
export function createOpenApi(
  resources: Pick<ServedResources, 'entries' | 'onChange'>,
  version: string,
): OpenApi {
  const info = { title: 'Kubernetes', version };
  const made = new Map<string, OpenApiDocument>();
  let protobuf: OpenApiDocument | undefined;
  resources.onChange(({ groups }) => {
    protobuf = undefined;
    for (const path of made.keys()) {
      const group = groupOf(path);
      if (group === undefined || groups.has(group)) made.delete(path);
    }
  });
  const descriptors = (): ResourceDescriptor[] =>
    resources.entries().map(({ descriptor }) => descriptor);
  const v2 = (): Record<string, unknown> => ({
    swagger: '2.0',
    info,
    paths: pathsOf(descriptors(), '#/definitions/'),
    definitions: definitionsOf(descriptors(), '#/definitions/'),
  });
  const make = (path: string): object | undefined => {
    if (path === '/openapi/v2') return v2();
    if (path === v3Prefix) {
      const keys = new Set(descriptors().map(pathOf));
      return {
        paths: Object.fromEntries(
          Array.from(keys, key => {
            const url = `${v3Prefix}/${key}`;
            return [key, { serverRelativeURL: `${url}?hash=${document(url)?.etag ?? ''}` }];
          }),
        ),
      };
    }
    const members = descriptors().filter(each => `${v3Prefix}/${pathOf(each)}` === path);
    if (members.length === 0) return undefined;
    return {
      openapi: '3.0.0',
      info,
      paths: pathsOf(members, '#/components/schemas/'),
      components: { schemas: definitionsOf(members, '#/components/schemas/') },
    };
  };
  const document = (path: string): OpenApiDocument | undefined => {
    const known = made.get(path);
    if (known !== undefined) return known;
    const value = make(path);
    if (value === undefined) return undefined;
    const fresh = documentOf(Buffer.from(JSON.stringify(value)));
    made.set(path, fresh);
    return fresh;
  };
  return {
    document,
    v2Protobuf: () => (protobuf ??= documentOf(encodeOpenApiV2(v2()))),
  };
}

const documentOf = (body: Buffer): OpenApiDocument => ({ body, etag: etagOf(body) });

/** `api/v1`, `apis/<group>/<version>`. */
const pathOf = ({ group, version }: ResourceDescriptor): string =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`;

/** The group that a document is about; undefined for those about all groups. */
function groupOf(path: string): string | undefined {
  const [prefix, group] = path.slice(v3Prefix.length + 1).split('/');
  if (prefix === 'api') return '';
  return prefix === 'apis' ? group : undefined;
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

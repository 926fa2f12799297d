import { parseOwnJson } from '../machinery/decode/own-json.ts';
import { apiVersionOf, type ResourceRef } from '../machinery/resource.ts';
import type { KubeList, KubeObject } from '../machinery/meta.ts';
import { failure, StatusError, type Status } from '../machinery/status.ts';
import type { WatchEvent } from '../machinery/watch-event.ts';
import type {
  ClientConfig,
  DeleteOptions,
  KubeClient,
  ListOptions,
  PatchType,
  ResourceClient,
  WatchOptions,
  WriteOptions,
} from './client.ts';
import { lines } from './lines.ts';
import { createTransport, type Transport } from './transport.ts';

const patchTypes: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

/** Lists are asked for by the first, single objects and watches by the second. */
const metadataTypes = ['PartialObjectMetadataList', 'PartialObjectMetadata']
  .map(as => `application/json;as=${as};g=meta.k8s.io;v=v1`)
  .join(', ');

export function createClient(config: ClientConfig): KubeClient {
  const transport = createTransport(config);
  return {
    resource: ref => createResourceClient(ref, transport),
    metadata: ref => createResourceClient(ref, accepting(transport, metadataTypes)),
    async raw(method, path, body) {
      const answer = await transport.request({
        method,
        path,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: answer.body };
    },
    close: () => transport.close(),
  };
}

const accepting = (transport: Transport, accept: string): Transport => ({
  ...transport,
  request: request => transport.request({ ...request, accept }),
  open: request => transport.open({ ...request, accept }),
});

function createResourceClient<T extends KubeObject>(
  ref: ResourceRef<T>,
  transport: Transport,
): ResourceClient<T> {
  const base = `${ref.group === '' ? '/api' : '/apis'}/${apiVersionOf(ref)}`;
  const pathOf = (namespace: string | undefined, name = '', subresource = ''): string =>
    [
      base,
      ...(ref.namespaced && namespace ? ['namespaces', encodeURIComponent(namespace)] : []),
      ref.plural,
      ...(name === '' ? [] : [encodeURIComponent(name)]),
      ...(subresource === '' ? [] : [subresource]),
    ].join('/');
  const call = async <R>(
    method: string,
    path: string,
    {
      body,
      contentType,
      signal,
      maxBytes,
    }: {
      body?: unknown;
      contentType?: string;
      signal?: AbortSignal | undefined;
      maxBytes?: number | undefined;
    } = {},
  ): Promise<R> => {
    const answer = await transport.request({
      method,
      path,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(signal === undefined ? {} : { signal }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
    });
    if (answer.status >= 300) throw statusErrorOf(answer.status, answer.body);
    return parseOwnJson(answer.body.toString()) as R;
  };
  const { metadata: _none, ...typeMeta } = {
    apiVersion: apiVersionOf(ref),
    kind: ref.kind,
    metadata: {},
  };
  const typed = (object: T): T => ({ ...object, ...typeMeta });
  const updateSubresource = (
    object: T,
    subresource: string,
    options: WriteOptions = {},
  ): Promise<T> =>
    call(
      'PUT',
      pathOf(object.metadata.namespace, object.metadata.name, subresource) +
        queryOf(writeQuery(options)),
      { body: typed(object), signal: options.signal },
    );

  return {
    ref,
    get: (namespace, name, options) =>
      call('GET', pathOf(namespace, name), { signal: options?.signal }),
    list: (options = {}) =>
      call<KubeList<T>>('GET', pathOf(options.namespace) + queryOf(listQuery(options)), {
        signal: options.signal,
        maxBytes: options.maxBytes,
      }),
    create: (object, options = {}) =>
      call('POST', pathOf(object.metadata.namespace) + queryOf(writeQuery(options)), {
        body: typed(object),
        signal: options.signal,
      }),
    update: (object, options = {}) =>
      call(
        'PUT',
        pathOf(object.metadata.namespace, object.metadata.name) + queryOf(writeQuery(options)),
        { body: typed(object), signal: options.signal },
      ),
    updateStatus: (object, options) => updateSubresource(object, 'status', options),
    updateSubresource,
    patch: (namespace, name, type, body, options = {}) =>
      call('PATCH', pathOf(namespace, name, options.subresource) + queryOf(writeQuery(options)), {
        body,
        contentType: patchTypes[type],
        signal: options.signal,
      }),
    createSubresource: (namespace, name, subresource, body, options = {}) =>
      call('POST', pathOf(namespace, name, subresource) + queryOf(writeQuery(options)), {
        body,
        signal: options.signal,
      }),
    async delete(namespace, name, options = {}) {
      await call('DELETE', pathOf(namespace, name) + queryOf(writeQuery(options)), {
        body: deleteBody(options),
        signal: options.signal,
      });
    },
    async deleteCollection({ namespace, ...options }) {
      await call('DELETE', pathOf(namespace) + queryOf(writeQuery(options)), {
        body: deleteBody(options),
        signal: options.signal,
      });
    },
    watch: options =>
      watch<T>(pathOf(options.namespace) + queryOf(watchQuery(options)), transport, options.signal),
  };
}

type Query = Record<string, string | number | boolean | undefined>;

function queryOf(query: Query): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return entries.length === 0
    ? ''
    : `?${new URLSearchParams(entries.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}

const writeQuery = ({ dryRun, fieldManager }: WriteOptions): Query => ({
  dryRun: dryRun === true ? 'All' : undefined,
  fieldManager,
});
const listQuery = (options: ListOptions): Query => ({
  labelSelector: options.labelSelector,
  fieldSelector: options.fieldSelector,
  limit: options.limit,
  continue: options.continue,
  resourceVersion: options.resourceVersion,
});
const watchQuery = (options: WatchOptions): Query => ({
  watch: true,
  allowWatchBookmarks: options.allowBookmarks ?? true,
  labelSelector: options.labelSelector,
  fieldSelector: options.fieldSelector,
  resourceVersion: options.resourceVersion,
  timeoutSeconds: options.timeoutSeconds,
});

const deleteBody = ({
  gracePeriodSeconds,
  uid,
  resourceVersion,
  propagationPolicy,
}: DeleteOptions): object => ({
  kind: 'DeleteOptions',
  apiVersion: 'v1',
  gracePeriodSeconds,
  propagationPolicy,
  ...(uid === undefined && resourceVersion === undefined
    ? {}
    : { preconditions: { uid, resourceVersion } }),
});

function statusErrorOf(code: number, body: Buffer): StatusError {
  try {
    const status = JSON.parse(body.toString()) as Status;
    if (status.kind === 'Status') return new StatusError(status);
  } catch {
    // Not an answer of the API: a proxy's, perhaps.
  }
  return failure(code, 'Unknown', `the server answered ${code} with something other than a Status`);
}

async function* watch<T extends KubeObject>(
  path: string,
  transport: Transport,
  signal: AbortSignal | undefined,
): AsyncGenerator<Exclude<WatchEvent<T>, { type: 'ERROR' }>> {
  const { status, stream } = await transport.open({
    method: 'GET',
    path,
    ...(signal === undefined ? {} : { signal }),
  });
  if (status !== 200) {
    const chunks = (await stream.toArray()) as Buffer[];
    throw statusErrorOf(status, Buffer.concat(chunks));
  }
  try {
    for await (const line of lines(stream)) {
      const event = parseOwnJson(line) as WatchEvent<T>;
      if (event.type === 'ERROR') throw new StatusError(event.object);
      yield event;
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  } finally {
    stream.destroy();
  }
}

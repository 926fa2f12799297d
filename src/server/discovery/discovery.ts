import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';

/** The version of Kubernetes whose API this is; what kubectl compares itself with. */
export const versionInfo = (keyletVersion: string): object => ({
  major: '1',
  minor: '32',
  gitVersion: `v1.32.0+keylet.${keyletVersion}`,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: `node${process.versions.node}`,
  compiler: 'v8',
  platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
});

export interface Discovery {
  /** The document of a discovery path, or undefined for any other path. */
  document(
    path: string,
    accept: string | undefined,
  ): { body: Buffer; contentType: string } | undefined;
}

/** All of discovery, made once: legacy and aggregated. */
export function createDiscovery(
  descriptors: readonly ResourceDescriptor[],
  serverAddress: string,
): Discovery {
  const groups = new Map<string, ResourceDescriptor[]>();
  for (const descriptor of descriptors) {
    const key = apiVersionOf(descriptor);
    groups.set(key, [...(groups.get(key) ?? []), descriptor]);
  }
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const documents = new Map<string, Buffer>();
  const aggregated = new Map<string, Buffer>();
  const named = [...groups.keys()].filter(key => key.includes('/'));

  documents.set(
    '/api',
    json({
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
    }),
  );
  documents.set(
    '/apis',
    json({ kind: 'APIGroupList', apiVersion: 'v1', groups: named.map(groupOf) }),
  );
  for (const [groupVersion, members] of groups) {
    const list = {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion,
      resources: members.flatMap(legacyResources),
    };
    documents.set(
      groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`,
      json(list),
    );
    const [group = ''] = groupVersion.split('/');
    if (groupVersion.includes('/'))
      documents.set(
        `/apis/${group}`,
        json({ kind: 'APIGroup', apiVersion: 'v1', ...groupOf(groupVersion) }),
      );
  }
  for (const version of ['v2', 'v2beta1']) {
    const list = (keys: readonly string[]): Buffer =>
      json({
        kind: 'APIGroupDiscoveryList',
        apiVersion: `apidiscovery.k8s.io/${version}`,
        metadata: {},
        items: keys.map(key => aggregatedGroup(key, groups.get(key) ?? [])),
      });
    aggregated.set(`/api ${version}`, list(['v1']));
    aggregated.set(`/apis ${version}`, list(named));
  }
  return {
    document(path, accept = '') {
      const key = path.length > 1 ? path.replace(/\/$/, '') : path;
      for (const range of accept.split(',')) {
        const version = /as=APIGroupDiscoveryList/.test(range)
          ? /v=(v2(?:beta1)?)/.exec(range)?.[1]
          : undefined;
        const body = version === undefined ? undefined : aggregated.get(`${key} ${version}`);
        if (body !== undefined) {
          return {
            body,
            contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
          };
        }
      }
      const body = documents.get(key);
      return body === undefined ? undefined : { body, contentType: 'application/json' };
    },
  };
}

function groupOf(groupVersion: string): object {
  const [name = '', version = ''] = groupVersion.split('/');
  const only = { groupVersion, version };
  return { name, versions: [only], preferredVersion: only };
}

function legacyResources(descriptor: ResourceDescriptor): object[] {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = descriptor;
  const subresources = Object.entries(descriptor.subresources ?? {}).map(([name, sub]) => ({
    name: `${plural}/${name}`,
    singularName: '',
    namespaced,
    ...(sub.group === undefined ? {} : { group: sub.group, version: sub.version }),
    kind: sub.kind,
    verbs: sub.verbs,
  }));
  return [
    {
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs,
      ...(shortNames === undefined ? {} : { shortNames }),
      ...(categories === undefined ? {} : { categories }),
      ...(descriptor.stored
        ? { storageVersionHash: Buffer.from(plural).toString('base64').slice(0, 11) }
        : {}),
    },
    ...subresources,
  ];
}

function aggregatedGroup(groupVersion: string, members: readonly ResourceDescriptor[]): object {
  const [group = '', version] = groupVersion.includes('/')
    ? groupVersion.split('/')
    : ['', groupVersion];
  return {
    metadata: { name: group, creationTimestamp: null },
    versions: [{ version, freshness: 'Current', resources: members.map(aggregatedResource) }],
  };
}

const aggregatedResource = (descriptor: ResourceDescriptor): object => ({
  resource: descriptor.plural,
  responseKind: { group: descriptor.group, version: descriptor.version, kind: descriptor.kind },
  scope: descriptor.namespaced ? 'Namespaced' : 'Cluster',
  singularResource: descriptor.singular,
  verbs: descriptor.verbs,
  ...(descriptor.shortNames === undefined ? {} : { shortNames: descriptor.shortNames }),
  ...(descriptor.categories === undefined ? {} : { categories: descriptor.categories }),
  subresources: Object.entries(descriptor.subresources ?? {}).map(([name, sub]) => ({
    subresource: name,
    responseKind: {
      group: sub.group ?? descriptor.group,
      version: sub.version ?? descriptor.version,
      kind: sub.kind,
    },
    verbs: sub.verbs,
  })),
});

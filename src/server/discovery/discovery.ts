import {
  apiVersionOf,
  compareVersions,
  type ResourceDescriptor,
} from '../../machinery/resource.ts';
import { etagOf } from '../http/etag.ts';
import type { ServedResources } from '../resources/resource-registry.ts';

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

/** A document as it is served. */
export interface DiscoveryDocument {
  readonly body: Buffer;
  readonly contentType: string;
  readonly etag: string;
}

export interface Discovery {
  /** The document of a discovery path, or undefined for any other path. */
  document(path: string, accept: string | undefined): DiscoveryDocument | undefined;
}

/** The documents of one group, made from its resources. */
interface GroupDocuments {
  /** JSON of an APIGroup without its kind. */
  readonly group: string;
  /** JSON of an APIGroupDiscovery. */
  readonly aggregated: string;
  /** APIResourceList, by version. */
  readonly versions: ReadonlyMap<string, DiscoveryDocument>;
}

/** Legacy and aggregated discovery. Only the groups whose resources change are made anew. */
export function createDiscovery(
  resources: Pick<ServedResources, 'entries' | 'onChange'>,
  serverAddress: string,
): Discovery {
  const made = new Map<string, GroupDocuments>();
  /** Documents about all groups. */
  const overall = new Map<string, DiscoveryDocument>();
  resources.onChange(({ groups }) => {
    overall.clear();
    for (const group of groups) made.delete(group);
  });
  const discovered = (): ResourceDescriptor[] =>
    resources
      .entries()
      .map(({ descriptor }) => descriptor)
      .filter(({ isUndiscovered }) => isUndiscovered !== true);
  const groupDocuments = (group: string): GroupDocuments | undefined => {
    const known = made.get(group);
    if (known !== undefined) return known;
    const members = discovered().filter(descriptor => descriptor.group === group);
    if (members.length === 0) return undefined;
    const fresh = groupDocumentsOf(group, members);
    made.set(group, fresh);
    return fresh;
  };
  const ofAllGroups = (path: string, make: () => string, contentType = json): DiscoveryDocument => {
    const known = overall.get(`${path} ${contentType}`);
    if (known !== undefined) return known;
    const fresh = documentOf(make(), contentType);
    overall.set(`${path} ${contentType}`, fresh);
    return fresh;
  };
  const each = (names: readonly string[], part: 'group' | 'aggregated'): string =>
    names.map(name => groupDocuments(name)?.[part]).join(',');
  const named = (): string[] => [
    ...new Set(discovered().flatMap(({ group }) => (group === '' ? [] : [group]))),
  ];

  return {
    document(path, accept = '') {
      const [, prefix, group = '', version] =
        /^\/(apis?)(?:\/([^/]+))?(?:\/([^/]+))?\/?$/.exec(path) ?? [];
      if (prefix === undefined) return undefined;
      if (group === '') {
        const names = prefix === 'api' ? [''] : named();
        const aggregated = aggregatedVersion(accept);
        if (aggregated !== undefined) {
          return ofAllGroups(
            path,
            () =>
              `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/${aggregated}","metadata":{},"items":[${each(names, 'aggregated')}]}`,
            `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`,
          );
        }
        return ofAllGroups(path, () =>
          prefix === 'api'
            ? JSON.stringify({
                kind: 'APIVersions',
                versions: ['v1'],
                serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
              })
            : `{"kind":"APIGroupList","apiVersion":"v1","groups":[${each(names, 'group')}]}`,
        );
      }
      if (prefix === 'api') {
        return version === undefined ? groupDocuments('')?.versions.get(group) : undefined;
      }
      const documents = groupDocuments(group);
      if (documents === undefined || version !== undefined) {
        return documents?.versions.get(version ?? '');
      }
      return ofAllGroups(
        path,
        () => `{"kind":"APIGroup","apiVersion":"v1",${documents.group.slice(1)}`,
      );
    },
  };
}

const json = 'application/json';

function documentOf(text: string, contentType = json): DiscoveryDocument {
  const body = Buffer.from(text);
  return { body, contentType, etag: etagOf(body) };
}

/** The newest version of aggregated discovery that is asked for, if any. */
function aggregatedVersion(accept: string): string | undefined {
  for (const range of accept.split(',')) {
    const version = /as=APIGroupDiscoveryList/.test(range)
      ? /v=(v2(?:beta1)?)(?:;|$)/.exec(range)?.[1]
      : undefined;
    if (version !== undefined) return version;
  }
  return undefined;
}

function groupDocumentsOf(name: string, members: readonly ResourceDescriptor[]): GroupDocuments {
  const names = [...new Set(members.map(({ version }) => version))].toSorted(compareVersions);
  const ofVersion = (version: string): ResourceDescriptor[] =>
    members.filter(member => member.version === version);
  const versions = names.map(version => ({
    groupVersion: apiVersionOf({ group: name, version }),
    version,
  }));
  return {
    group: JSON.stringify({ name, versions, preferredVersion: versions[0] }),
    aggregated: JSON.stringify({
      metadata: { name, creationTimestamp: null },
      versions: names.map(version => ({
        version,
        freshness: 'Current',
        resources: ofVersion(version).map(aggregatedResource),
      })),
    }),
    versions: new Map(
      versions.map(({ groupVersion, version }) => [
        version,
        documentOf(
          JSON.stringify({
            kind: 'APIResourceList',
            apiVersion: 'v1',
            groupVersion,
            resources: ofVersion(version).flatMap(legacyResources),
          }),
        ),
      ]),
    ),
  };
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

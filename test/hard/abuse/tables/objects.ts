import { inNamespace, type Abuse } from '../support/abuse.ts';
import type { Call } from '../support/client.ts';
import { flood, floodOf, joined } from '../support/sending.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/abused';

const pod = (spec: string): Call => ({
  method: 'POST',
  path: `${inNamespace('pods')}?dryRun=All`,
  body: `{"metadata":{"name":"p"},"spec":{${spec}}}`,
});
const containers = '"containers":[{"name":"c","image":"i"}]';
const volumes = (...each: string[]): string => `${containers},"volumes":[${each.join(',')}]`;
const container = (more: string): string => `"containers":[{"name":"c","image":"i",${more}}]`;
const items = (count: number, path: (i: number) => string = i => `f${i}`): string =>
  `[${joined(count, i => `{"key":"k${i}","path":"${path(i)}"}`)}]`;
const secretVolume = (of: string): string =>
  `{"name":"v","secret":{"secretName":"s","items":${of}}}`;
const memory = (amount: string): string => container(`"resources":{"limits":{"memory":${amount}}}`);
const texts = (count: number, prefix: string): string =>
  `[${joined(count, i => `"${prefix}${i}"`)}]`;

const role = (rules: string): Call => ({
  method: 'POST',
  path: `${rbac}/roles?dryRun=All`,
  body: `{"metadata":{"name":"r"},"rules":[${rules}]}`,
});
const rule = (groups: number, resources: number, verbs: number): string =>
  `{"apiGroups":${texts(groups, 'g')},"resources":${texts(resources, 'r')},"verbs":${texts(verbs, 'v')}}`;
/** What a namespace admin may give away, and so has to be checked to the end. */
const ownRule = (names: number): string =>
  `{"apiGroups":[""],"resources":["secrets","pods","configmaps"],"verbs":["get","list","watch"],"resourceNames":${texts(names, 'n')}}`;

const refused = ['4xx'] as const;
const accepted = ['2xx'] as const;
const decided = ['2xx', '4xx'] as const;
const namespaceAdmin = { sender: 'namespace admin', expects: decided } as const;

export const objects: readonly Abuse[] = [
  {
    name: 'quantities with giant exponents',
    ...namespaceAdmin,
    quick: true,
    send: floodOf(
      i => pod(memory(`"${['1e99999999', '1E999999999', '-1e99999999', '1e-99999999'][i % 4]}"`)),
      { count: 64 },
    ),
  },
  {
    name: 'quantities of up to a million digits',
    ...namespaceAdmin,
    send: floodOf(
      i =>
        pod(
          memory(
            `"${[`1${'0'.repeat(100_000)}`, `0.${'0'.repeat(100_000)}1`, `${'9'.repeat(1_000_000)}Ei`, `1e${'9'.repeat(1_000_000)}`][i % 4]}"`,
          ),
        ),
      { count: 64 },
    ),
  },
  {
    name: '20,000 quantities with giant exponents',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() =>
      pod(
        container(
          `"resources":{"limits":{${joined(20_000, i => `"a.b/r${i}":"1e${99_999_999 - i}"`)}}}`,
        ),
      ),
    ),
  },
  {
    name: 'a Role of 1000 groups × 1000 resources × 20 verbs',
    ...namespaceAdmin,
    quick: true,
    expects: refused,
    send: flood(() => role(rule(1000, 1000, 20))),
  },
  {
    name: 'a Role of 24,000 groups × 24,000 resources × 20 verbs',
    ...namespaceAdmin,
    expects: refused,
    send: flood(() => role(rule(24_000, 24_000, 20))),
  },
  {
    name: 'a Role of 7,000 rules that nobody may give',
    ...namespaceAdmin,
    expects: refused,
    send: flood(() => role(joined(7000, () => rule(1, 1, 1)))),
  },
  {
    name: 'a Role of 49,000 names that its sender may give',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() => role(ownRule(49_000))),
  },
  {
    name: 'a Role of 3,500 rules that its sender may give',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() => role(joined(3500, () => ownRule(2)))),
  },
  {
    name: 'access reviews by one who is bound to a Role of 3,500 rules',
    ...namespaceAdmin,
    prepare: async ({ admin }) => {
      const body = `{"metadata":{"name":"many"},"rules":[${joined(3500, () => ownRule(2))}]}`;
      await admin.mustCall({ method: 'POST', path: `${rbac}/roles`, body });
      const binding = {
        metadata: { name: 'many' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'many' },
        subjects: [
          { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'namespace admin' },
        ],
      };
      const path = `${rbac}/rolebindings`;
      await admin.mustCall({ method: 'POST', path, body: JSON.stringify(binding) });
    },
    send: flood({
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
      body: '{"spec":{"namespace":"abused"}}',
    }),
    cleanUp: async ({ admin }) => {
      await admin.mustCall({ method: 'DELETE', path: `${rbac}/rolebindings/many` });
      await admin.mustCall({ method: 'DELETE', path: `${rbac}/roles/many` });
    },
  },
  {
    name: 'a binding of 12,000 subjects',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() => ({
      method: 'POST',
      path: `${rbac}/rolebindings?dryRun=All`,
      body: `{"metadata":{"name":"b"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"view"},"subjects":[${joined(12_000, i => `{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"u${i}"}`)}]}`,
    })),
  },
  {
    name: 'a secret volume with 8,000 items',
    ...namespaceAdmin,
    expects: accepted,
    quick: true,
    send: flood(() => pod(volumes(secretVolume(items(8000))))),
  },
  {
    name: 'a secret volume with 16,000 items',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() => pod(volumes(secretVolume(items(16_000))))),
  },
  {
    name: 'a secret volume with 16,000 items of one path',
    ...namespaceAdmin,
    expects: decided,
    send: flood(() => pod(volumes(secretVolume(items(16_000, () => 'same'))))),
  },
  {
    name: 'a secret volume with 16,000 items of paths that are none',
    ...namespaceAdmin,
    expects: refused,
    send: flood(() => pod(volumes(secretVolume(items(16_000, () => '../..'))))),
  },
  {
    name: 'an item with a path of 700,000 folders',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() => pod(volumes(secretVolume(items(2, () => 'a/'.repeat(700_000)))))),
  },
  {
    name: '65 projected sources with 250 items each',
    ...namespaceAdmin,
    expects: accepted,
    quick: true,
    send: flood(() =>
      pod(
        volumes(
          `{"name":"v","projected":{"sources":[${joined(65, source => `{"secret":{"name":"s${source}","items":${items(250, i => `f${source}-${i}`)}}}`)}]}}`,
        ),
      ),
    ),
  },
  {
    name: '16,000 projected sources',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() =>
      pod(
        volumes(
          `{"name":"v","projected":{"sources":[${joined(16_000, i => `{"secret":{"name":"s${i}"}}`)}]}}`,
        ),
      ),
    ),
  },
  {
    name: '24,000 invalid containers',
    ...namespaceAdmin,
    expects: refused,
    quick: true,
    send: flood(() => pod(`"containers":[${joined(24_000, () => '{"name":"A"}')}]`)),
  },
  {
    name: '16,000 containers of one name',
    ...namespaceAdmin,
    expects: refused,
    send: flood(() => pod(`"containers":[${joined(16_000, () => '{"name":"a","image":"i"}')}]`)),
  },
  {
    name: '12,000 containers, valid',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() => pod(`"containers":[${joined(12_000, i => `{"name":"a${i}","image":"i"}`)}]`)),
  },
  {
    name: '7,000 volumes, each mounted',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() =>
      pod(
        `${container(`"volumeMounts":[${joined(7000, i => `{"name":"v${i}","mountPath":"/m${i}"}`)}]`)},"volumes":[${joined(7000, i => `{"name":"v${i}","emptyDir":{}}`)}]`,
      ),
    ),
  },
  {
    name: '1,500 mounts of one volume, each inside the one before',
    ...namespaceAdmin,
    send: flood(() =>
      pod(
        `${container(`"volumeMounts":[${joined(1500, i => `{"name":"v","mountPath":"/${'a/'.repeat(i)}"}`)}]`)},"volumes":[{"name":"v","emptyDir":{}}]`,
      ),
    ),
  },
  {
    name: '16,000 variables that name one another',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() =>
      pod(
        container(
          `"env":[${joined(16_000, i => `{"name":"V${i}","value":"$(V${i - 1})$(V${i - 1})"}`)}]`,
        ),
      ),
    ),
  },
  {
    name: '16,000 ports of one number',
    ...namespaceAdmin,
    send: flood(() =>
      pod(container(`"ports":[${joined(16_000, () => '{"containerPort":80,"hostPort":8080}')}]`)),
    ),
  },
  {
    name: '8,000 tolerations and 4,000 host aliases',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() =>
      pod(
        `${containers},"tolerations":[${joined(8000, i => `{"key":"k${i}","operator":"Exists"}`)}],"hostAliases":[${joined(4000, i => `{"ip":"10.0.0.1","hostnames":["h${i}"]}`)}]`,
      ),
    ),
  },
  {
    name: '49,000 labels that are none',
    ...namespaceAdmin,
    expects: refused,
    send: flood(() => ({
      method: 'POST',
      path: `${inNamespace('secrets')}?dryRun=All`,
      body: `{"metadata":{"name":"s","labels":{${joined(49_000, i => `"-${i}":"-"`)}}}}`,
    })),
  },
  {
    name: '49,000 labels',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() => ({
      method: 'POST',
      path: `${inNamespace('secrets')}?dryRun=All`,
      body: `{"metadata":{"name":"s","labels":{${joined(49_000, i => `"k${i}":"v"`)}}}}`,
    })),
  },
  {
    name: 'a label of 3 MB, built to be expensive for a regular expression',
    ...namespaceAdmin,
    expects: refused,
    send: flood(() => ({
      method: 'POST',
      path: `${inNamespace('secrets')}?dryRun=All`,
      body: `{"metadata":{"name":"s","labels":{"a":"${'a.-_'.repeat(700_000)}!"}}}`,
    })),
  },
  {
    name: 'a name of 3 MB',
    ...namespaceAdmin,
    expects: refused,
    send: flood(() => ({
      method: 'POST',
      path: `${inNamespace('secrets')}?dryRun=All`,
      body: `{"metadata":{"name":"${'a-'.repeat(1_500_000)}"}}`,
    })),
  },
  {
    name: 'an image name of 3 MB',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() => pod(`"containers":[{"name":"c","image":"${'a/'.repeat(1_500_000)}"}]`)),
  },
  {
    name: '9,500 owners',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() => ({
      method: 'POST',
      path: `${inNamespace('secrets')}?dryRun=All`,
      body: `{"metadata":{"name":"s","ownerReferences":[${joined(9500, i => `{"apiVersion":"v1","kind":"Pod","name":"p${i}","uid":"u${i % 2 === 0 ? i : 0}"}`)}]}}`,
    })),
  },
  {
    name: 'a secret with 49,000 keys',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() => ({
      method: 'POST',
      path: `${inNamespace('secrets')}?dryRun=All`,
      body: `{"metadata":{"name":"s"},"data":{${joined(49_000, i => `"k${i}":""`)}}}`,
    })),
  },
  {
    name: 'a TLS secret of 1 MB that is no certificate',
    ...namespaceAdmin,
    expects: accepted,
    send: flood(() => {
      const pem = Buffer.from('-----BEGIN CERTIFICATE-----\n'.repeat(18_000)).toString('base64');
      return {
        method: 'POST',
        path: `${inNamespace('secrets')}?dryRun=All`,
        body: `{"metadata":{"name":"s"},"type":"kubernetes.io/tls","data":{"tls.crt":"${pem}","tls.key":"${pem}"}}`,
      };
    }),
  },
];

import { inNamespace, type Abuse, type AbuseContext } from '../support/abuse.ts';
import { flood, floodOf, joined, repeat } from '../support/sending.ts';

const decided = ['2xx', '4xx'] as const;
const refused = ['4xx'] as const;
/** Node's own limit of a request's head is 16 KiB. */
const longest = 12_000;

const secrets = inNamespace('secrets');
const withSelector = (kind: 'label' | 'field', selector: string): string =>
  `${secrets}?${kind}Selector=${encodeURI(selector)}`;

/** Where a regular expression could go back again and again. */
const expensiveSelectors = [
  `${'a'.repeat(longest)}!`,
  '('.repeat(4000),
  `${'a.'.repeat(5000)}!`,
  `${' '.repeat(4000)}a`,
  '!'.repeat(4000),
  'a=\\'.repeat(2000),
];

const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const token = (header: string, payload = '{}'): string =>
  `${base64url(header)}.${base64url(payload)}.${base64url('x'.repeat(64))}`;

const small = 1000;

/** Many small secrets of the namespace admin's. Those who need them follow one another; the last removes them. */
async function smallSecrets({ admin, signal }: AbuseContext): Promise<void> {
  const last = await admin.call({ path: `${secrets}/small-${small - 1}` });
  if (last.outcome === 200) return;
  await repeat(
    { signal },
    i =>
      admin.mustCall({
        method: 'POST',
        path: secrets,
        body: `{"metadata":{"name":"small-${i}","labels":{"n":"${i}"}}}`,
      }),
    { parallel: 32, count: small, forMs: 60_000 },
  );
}

const removeSecrets = async ({ admin }: AbuseContext): Promise<void> =>
  void (await admin.mustCall({ method: 'DELETE', path: secrets }));

const sampleLine =
  /^(#.*|[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\[\\"n])*",?)*\})? (-?[\d.]+(e[+-]?\d+)?|[+-]?Inf|NaN)( \d+)?)$/;
const maxMetricsBytes = 1024 * 1024;

/** What is wrong with `/metrics`. */
async function metricsFaults({ admin }: AbuseContext): Promise<string[]> {
  const { outcome, text, bytes } = await admin.call({ path: '/metrics' });
  if (outcome !== 200) return [`/metrics: ${outcome}`];
  const lines = text.split('\n').filter(line => line !== '');
  const malformed = lines.filter(line => !sampleLine.test(line));
  return [
    ...(bytes > maxMetricsBytes ? [`/metrics is ${bytes} bytes`] : []),
    ...(lines.some(line => line.startsWith('forged')) ? ['/metrics has a forged line'] : []),
    ...malformed.slice(0, 3).map(line => `/metrics: malformed line ${line.slice(0, 200)}`),
  ];
}

const forged = encodeURIComponent('x"} 1\nforged_total{a="');

export const requests: readonly Abuse[] = [
  {
    name: '20,000 GETs of long paths that are none',
    sender: 'anonymous',
    expects: refused,
    quick: true,
    send: floodOf(i => ({ path: `/api/v1/${i}-${'x'.repeat(longest)}` }), {
      parallel: 64,
      count: 20_000,
      forMs: 12_000,
    }),
    check: metricsFaults,
  },
  {
    name: 'GETs of segments that would forge a line of metrics',
    sender: 'anonymous',
    expects: refused,
    quick: true,
    send: floodOf(
      i => ({
        path: [
          `/api/v1/${forged}`,
          `/api/v1/namespaces/x/${forged}/y`,
          `/apis/${forged}/v1/x`,
          `/${forged}`,
        ][i % 4] as string,
      }),
      { count: 400, parallel: 16 },
    ),
    check: metricsFaults,
  },
  {
    name: 'thousands of methods that are none',
    sender: 'user',
    expects: refused,
    send: async ({ client, tally, ...context }) => {
      const session = client.http2();
      await repeat(
        context,
        i =>
          new Promise<void>(resolve => {
            const stream = session.request({ ':method': `M${i}`, ':path': secrets });
            let status = 0;
            stream.once('response', headers => (status = Number(headers[':status'])));
            stream.on('error', () => undefined);
            stream.once('close', () => {
              tally.add(status || 'closed');
              resolve();
            });
            stream.resume();
          }),
        { parallel: 32, count: 5000 },
      );
    },
    check: metricsFaults,
  },
  {
    name: 'paths of 6,000 slashes, dots and percents',
    sender: 'anonymous',
    expects: decided,
    send: floodOf(i => ({ path: `/${['a/', '../', '%2f', '%'][i % 4]?.repeat(3500)}` }), {
      parallel: 32,
    }),
  },
  {
    name: 'queries of 1,900 parameters',
    sender: 'namespace admin',
    expects: decided,
    send: flood(
      { path: `${secrets}?${joined(1900, i => `${i}=`).replaceAll(',', '&')}` },
      { parallel: 32 },
    ),
  },
  {
    name: 'label selectors of 1,400 requirements over 1,000 secrets',
    sender: 'namespace admin',
    expects: decided,
    prepare: smallSecrets,
    send: flood({
      path: withSelector(
        'label',
        joined(1400, i => `n!=${i}`),
      ),
    }),
  },
  {
    name: 'a label selector of 2,000 values over 1,000 secrets',
    sender: 'namespace admin',
    expects: decided,
    prepare: smallSecrets,
    send: flood({ path: withSelector('label', `n notin (${joined(2000, i => `v${i}`)})`) }),
  },
  {
    name: 'field selectors of 400 requirements over 1,000 secrets',
    sender: 'namespace admin',
    expects: decided,
    prepare: smallSecrets,
    send: flood({
      path: withSelector(
        'field',
        joined(400, i => `metadata.name!=a${i}`),
      ),
    }),
  },
  {
    name: 'lists by pages of one over 1,000 secrets',
    sender: 'namespace admin',
    expects: decided,
    prepare: smallSecrets,
    send: async ({ client, tally, ...context }) => {
      const next: string[] = Array.from({ length: 16 }, () => '');
      await repeat(
        context,
        async i => {
          const at = i % next.length;
          const from = next[at] === '' ? '' : `&continue=${encodeURIComponent(next[at] ?? '')}`;
          const answer = await client.call({ path: `${secrets}?limit=1${from}` });
          tally.add(answer.outcome);
          next[at] = /"continue":"([^"]+)"/.exec(answer.text)?.[1] ?? '';
        },
        { parallel: 16, forMs: 4000 },
      );
    },
    cleanUp: removeSecrets,
  },
  {
    name: 'label and field selectors built to be expensive to read',
    sender: 'namespace admin',
    expects: decided,
    send: floodOf(
      i => {
        const selector = expensiveSelectors[(i >> 1) % expensiveSelectors.length] ?? '';
        return { path: withSelector(i % 2 === 0 ? 'label' : 'field', selector) };
      },
      { parallel: 16 },
    ),
  },
  {
    name: 'a label selector of 4,000 empty values',
    sender: 'namespace admin',
    expects: decided,
    send: flood({ path: withSelector('label', `a in (${','.repeat(4000)})`) }, { parallel: 16 }),
  },
  {
    name: 'continue tokens and versions of 12,000 characters',
    sender: 'namespace admin',
    // 504 is Kubernetes' answer to a version that is yet to come; a limit and a time are cut to what there is.
    expects: [...decided, 504],
    send: floodOf(
      i => ({
        path: `${secrets}?limit=1&${['continue', 'resourceVersion', 'limit', 'timeoutSeconds'][i % 4]}=${(i % 8 < 4 ? '9' : 'eyJ').repeat(3500)}`,
      }),
      { parallel: 16 },
    ),
  },
  {
    name: '2,000 creates by one user, then deletecollection',
    sender: 'namespace admin',
    expects: decided,
    send: async context => {
      await floodOf(
        i => ({ method: 'POST', path: secrets, body: `{"metadata":{"name":"s-${i}"}}` }),
        { parallel: 64, count: 2000, forMs: 6000 },
      )(context);
      context.tally.add((await context.client.call({ method: 'DELETE', path: secrets })).outcome);
    },
    cleanUp: removeSecrets,
  },
  {
    name: 'token reviews of tokens of 2.9 MB',
    sender: 'token reviewer',
    expects: decided,
    send: floodOf(i => {
      const long = 2_900_000;
      const body = [
        'x'.repeat(long),
        '.'.repeat(long),
        token(`{"alg":"ES256","kid":"${'k'.repeat(2_000_000)}"}`),
        token('['.repeat(2_000_000)),
        token('{"alg":"ES256"}', `{"iss":"${'i'.repeat(2_000_000)}"}`),
      ][i % 5] as string;
      return {
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        body: JSON.stringify({ spec: { token: body, audiences: ['a'] } }),
      };
    }),
  },
  {
    name: 'token reviews for 100,000 audiences',
    sender: 'token reviewer',
    expects: decided,
    send: flood(() => ({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: `{"spec":{"token":"${token('{"alg":"ES256"}')}","audiences":[${joined(100_000, i => `"a${i}"`)}]}}`,
    })),
  },
  {
    name: 'bearer tokens with huge, deep and wrong headers',
    sender: 'anonymous',
    expects: refused,
    send: floodOf(
      i => ({
        path: secrets,
        headers: {
          authorization: `Bearer ${
            [
              'x'.repeat(longest),
              '.'.repeat(longest),
              token('['.repeat(8000)),
              token(`{"alg":"none","kid":"${'k'.repeat(8000)}"}`),
              token(`{"alg":"ES256","typ":"JWT"}`, `{"iss":"${'i'.repeat(6000)}"}`),
              token(
                '{"alg":"ES256"}',
                '{"iss":"https://kubernetes.default.svc.cluster.local","sub":"constructor"}',
              ),
            ][i % 6]
          }`,
        },
      }),
      { parallel: 32 },
    ),
  },
  {
    name: '300 Impersonate-Group headers',
    sender: 'user',
    expects: [...refused, 'closed'],
    send: flood(
      {
        path: secrets,
        headers: {
          'impersonate-user': 'x',
          'impersonate-group': Array.from({ length: 300 }, (_, i) => `g${i}`),
        },
      },
      { parallel: 32 },
    ),
  },
  {
    name: '400 values of one Impersonate-Extra header',
    sender: 'user',
    expects: [...refused, 'closed'],
    send: flood(
      {
        path: secrets,
        headers: {
          'impersonate-user': 'x',
          'impersonate-extra-a': Array.from({ length: 400 }, (_, i) => `${i}`),
        },
      },
      { parallel: 32 },
    ),
  },
  {
    name: 'Accept headers of 600 ranges, each another',
    sender: 'namespace admin',
    expects: decided,
    send: floodOf(
      i => ({ path: secrets, headers: { accept: joined(600, j => `a/b;q=0.${i}${j}`) } }),
      { parallel: 32 },
    ),
  },
  {
    name: 'user agents and content types of 12,000 characters',
    sender: 'user',
    expects: refused,
    send: floodOf(
      i => ({
        method: 'POST',
        path: secrets,
        body: '{}',
        headers: { [i % 2 === 0 ? 'user-agent' : 'content-type']: `${i}${'x'.repeat(longest)}` },
      }),
      { parallel: 32 },
    ),
  },
  {
    name: 'the OpenAPI documents and discovery, again and again',
    sender: 'user',
    expects: ['2xx'],
    send: floodOf(
      i => ({
        path: ['/openapi/v2', '/openapi/v3/api/v1', '/apis', '/api/v1'][i % 4] as string,
        headers: { 'accept-encoding': 'gzip' },
      }),
      { parallel: 32 },
    ),
  },
  {
    name: 'access reviews, each about something else',
    sender: 'pod token',
    expects: decided,
    send: floodOf(
      i => ({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        body: `{"spec":{"resourceAttributes":{"verb":"v${i}","resource":"r${i}","name":"${'n'.repeat(10_000)}"}}}`,
      }),
      { parallel: 32 },
    ),
  },
];

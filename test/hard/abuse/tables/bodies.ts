import { inNamespace, type Abuse } from '../support/abuse.ts';
import type { Call } from '../support/client.ts';
import { flood, joined } from '../support/sending.ts';
import { field, kubernetesMessage } from './protobuf.ts';

const yaml = 'application/yaml';
const protobuf = 'application/vnd.kubernetes.protobuf';

/** What any authenticated user may post, and so every pod. */
const selfReview = (body: string | Buffer, contentType = 'application/json'): Call => ({
  method: 'POST',
  path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  body,
  contentType,
});
/** Nothing of it is kept. */
const dryRun = (resource: string, body: string | Buffer, contentType?: string): Call => ({
  method: 'POST',
  path: `${inNamespace(resource)}?dryRun=All`,
  body,
  ...(contentType === undefined ? {} : { contentType }),
});

const review = '"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview"';
/** What makes a review complete. */
const question = '"spec":{"nonResourceAttributes":{"path":"/","verb":"get"}}';
const mib = 1024 * 1024;
/** Almost as much as a body may have. */
const threeMb = 3 * mib - 1024;

/** Names that repeat at the bottom of many objects: the path of each is as long as the nest is deep. */
function duplicatesBelow(depth: number, bytes: number): string {
  const head = `{${review},${question},"x":${'{"a":'.repeat(depth)}{"b":1`;
  const tail = `}${'}'.repeat(depth)}}`;
  return head + ',"b":1'.repeat((bytes - head.length - tail.length) / 6) + tail;
}

/** A name that repeats on every level. */
function duplicatesAtEachLevel(bytes: number): string {
  const levels = Math.floor(bytes / 14);
  return `{${review},${question},"x":${'{"a":1,"a":'.repeat(levels)}1${'}'.repeat(levels)}}`;
}

const accepted = ['2xx'] as const;
const refused = ['4xx'] as const;
const decided = ['2xx', '4xx'] as const;

const distinctDuplicates = (count: number): string => {
  const names = Array.from({ length: count }, (_, i) => `"n${i}":1,"n${i}":2`);
  return `{${review},${question},"x":{${names.join(',')}}}`;
};

const yamlDuplicates = (bytes: number): string =>
  `apiVersion: authorization.k8s.io/v1\nkind: SelfSubjectAccessReview\nspec:\n${'  b: 1\n'.repeat(bytes / 7)}`;

/** Nine levels of nine: 9^9 values, should anybody write them out. */
const aliasBomb = `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${Array.from(
  { length: 9 },
  (_, i) => `a${i + 1}: &a${i + 1} [${Array.from({ length: 9 }, () => `*a${i}`).join(',')}]\n`,
).join('')}`;
const mergeBomb = `m0: &m0 {k: v}\n${Array.from(
  { length: 2000 },
  (_, i) => `m${i + 1}: &m${i + 1}\n  <<: [*m${i}, *m${i}]\n  k${i}: v\n`,
).join('')}`;

/** Fields of two bytes each, `count` of them, in one message. */
const tiny = (bytes: readonly number[], count: number): Buffer =>
  Buffer.alloc(count * bytes.length, Buffer.from(bytes));
const tinyFields = 1_400_000;
const named = field(1, field(1, 'p'));
const message = (kind: string, raw: Buffer): Buffer =>
  kubernetesMessage('v1', kind, Buffer.concat([named, raw]));
const secretMessage = (raw: Buffer): Buffer => message('Secret', raw);
const podMessage = (raw: Buffer): Buffer => message('Pod', raw);

function nestedMessages(depth: number): Buffer {
  let message: Buffer = Buffer.alloc(0);
  for (let i = 0; i < depth; i += 1) message = field(i % 2 === 0 ? 1 : 2, message);
  return message;
}

export const bodies: readonly Abuse[] = [
  {
    name: 'repeated fields below 1,000 objects, 126 KB of JSON',
    sender: 'pod token',
    expects: decided,
    quick: true,
    send: flood(() => selfReview(duplicatesBelow(1000, 126_000))),
  },
  {
    name: '48,000 repeated fields below 1,000 objects, 290 KB of JSON',
    sender: 'pod token',
    expects: accepted,
    send: flood(() => selfReview(duplicatesBelow(1000, 290_000))),
  },
  {
    name: 'more repeated fields than a body may have, 3 MB of JSON',
    sender: 'pod token',
    expects: refused,
    send: flood(() => selfReview(duplicatesBelow(5000, threeMb))),
  },
  {
    name: 'a repeated field on each of 9,000 levels, 126 KB of JSON',
    sender: 'pod token',
    expects: accepted,
    send: flood(() => selfReview(duplicatesAtEachLevel(126_000))),
  },
  {
    name: 'a repeated field on each of 220,000 levels, 3 MB of JSON',
    sender: 'pod token',
    expects: refused,
    send: flood(() => selfReview(duplicatesAtEachLevel(threeMb))),
  },
  {
    name: '24,000 distinct fields, each twice',
    sender: 'pod token',
    expects: accepted,
    send: flood(() => selfReview(distinctDuplicates(24_000))),
  },
  {
    name: 'repeated fields, 126 KB of YAML',
    sender: 'pod token',
    expects: decided,
    send: flood(() => selfReview(yamlDuplicates(126_000), yaml)),
  },
  {
    name: 'repeated fields, 3 MB of YAML',
    sender: 'pod token',
    expects: decided,
    send: flood(() => selfReview(yamlDuplicates(threeMb), yaml), { count: 8 }),
  },
  {
    name: '3 MB of opening brackets, JSON',
    sender: 'pod token',
    expects: refused,
    send: flood(() => selfReview('['.repeat(threeMb))),
  },
  {
    name: '1.5 million lists in one another, JSON',
    sender: 'pod token',
    expects: refused,
    send: flood(() =>
      selfReview(`{${review},"spec":${'['.repeat(1_500_000)}${']'.repeat(1_500_000)}}`),
    ),
  },
  {
    name: '500,000 objects in one another, JSON',
    sender: 'pod token',
    expects: refused,
    send: flood(() =>
      selfReview(`{${review},"spec":${'{"a":'.repeat(500_000)}1${'}'.repeat(500_000)}}`),
    ),
  },
  {
    name: '40 times 990 objects in one another in a field that takes any JSON',
    sender: 'namespace admin',
    expects: accepted,
    send: flood(() =>
      dryRun(
        'pods',
        `{"metadata":{"name":"p"},"spec":{"affinity":{${joined(40, i => `"a${i}":${'{"a":'.repeat(990)}1${'}'.repeat(990)}`)}},"containers":[{"name":"c","image":"i"}]}}`,
      ),
    ),
  },
  {
    name: '24,000 unknown fields, each an object',
    sender: 'pod token',
    expects: accepted,
    send: flood(() =>
      selfReview(
        `{${review},${question},${Array.from({ length: 24_000 }, (_, i) => `"u${i}":{}`).join(',')}}`,
      ),
    ),
  },
  {
    name: '3 MB of opening brackets, YAML',
    sender: 'pod token',
    expects: refused,
    send: flood(() => selfReview('['.repeat(threeMb), yaml), { count: 8 }),
  },
  {
    name: 'nested block lists, 3 MB of YAML',
    sender: 'pod token',
    expects: refused,
    send: flood(() => selfReview('- '.repeat(threeMb / 2), yaml), { count: 8 }),
  },
  {
    name: 'a YAML bomb of 9^9 aliases',
    sender: 'pod token',
    expects: refused,
    quick: true,
    send: flood(selfReview(aliasBomb, yaml)),
  },
  {
    name: 'a YAML bomb of 2,000 doubling merge keys',
    sender: 'pod token',
    expects: decided,
    send: flood(selfReview(mergeBomb, yaml)),
  },
  {
    name: '100,000 YAML documents in one body',
    sender: 'pod token',
    expects: decided,
    send: flood(() => selfReview('---\na: 1\n'.repeat(100_000), yaml), { count: 8 }),
  },
  {
    name: '3 MB of YAML, just below the threshold for a thread 190 times at once',
    sender: 'pod token',
    expects: decided,
    send: flood(() => selfReview(yamlDuplicates(16_000), yaml), { parallel: 190 }),
  },
  {
    name: '49,000 unknown protobuf fields',
    sender: 'namespace admin',
    expects: accepted,
    quick: true,
    send: flood(() => dryRun('secrets', secretMessage(tiny([0x78, 0], 49_000)), protobuf)),
  },
  {
    name: '16,000 keys of a protobuf map',
    sender: 'namespace admin',
    expects: accepted,
    send: flood(() =>
      dryRun(
        'secrets',
        secretMessage(
          Buffer.concat(Array.from({ length: 16_000 }, (_, i) => field(2, field(1, `k${i}`)))),
        ),
        protobuf,
      ),
    ),
  },
  {
    name: '49,000 empty containers, protobuf',
    sender: 'namespace admin',
    expects: refused,
    send: flood(() => dryRun('pods', podMessage(field(2, tiny([0x12, 0], 49_000))), protobuf)),
  },
  {
    name: '1.4 million unknown protobuf fields',
    sender: 'namespace admin',
    expects: refused,
    send: flood(() => dryRun('secrets', secretMessage(tiny([0x78, 0], tinyFields)), protobuf)),
  },
  {
    name: '1.4 million empty entries of a protobuf map',
    sender: 'namespace admin',
    expects: refused,
    send: flood(() => dryRun('secrets', secretMessage(tiny([0x12, 0], tinyFields)), protobuf)),
  },
  {
    name: '1.4 million empty finalizers, protobuf',
    sender: 'namespace admin',
    expects: refused,
    send: flood(() =>
      dryRun('secrets', secretMessage(field(1, tiny([0x72, 0], tinyFields))), protobuf),
    ),
  },
  {
    name: '1.4 million empty containers, protobuf',
    sender: 'namespace admin',
    expects: refused,
    send: flood(() => dryRun('pods', podMessage(field(2, tiny([0x12, 0], tinyFields))), protobuf)),
  },
  {
    name: '1.4 million fields behind the message, protobuf',
    sender: 'namespace admin',
    expects: refused,
    send: flood(() =>
      dryRun(
        'secrets',
        Buffer.concat([secretMessage(Buffer.alloc(0)), tiny([0x22, 0], tinyFields)]),
        protobuf,
      ),
    ),
  },
  {
    name: '10,000 protobuf messages in one another',
    sender: 'namespace admin',
    expects: decided,
    send: flood(() => dryRun('pods', podMessage(nestedMessages(10_000)), protobuf)),
  },
  {
    name: 'a text of 3 MB where a number belongs',
    sender: 'namespace admin',
    expects: refused,
    send: flood(() =>
      dryRun(
        'pods',
        `{"metadata":{"name":"p"},"spec":{"priority":"${'9'.repeat(threeMb - 1000)}"}}`,
      ),
    ),
  },
  {
    name: 'a number of 3 MB',
    sender: 'namespace admin',
    expects: refused,
    send: flood(() =>
      dryRun('pods', `{"metadata":{"name":"p"},"spec":{"priority":${'9'.repeat(threeMb - 1000)}}}`),
    ),
  },
];

/** Sends what a role can send, and finds what should not have happened. */
import { bodyOf } from './bodies.ts';
import { ServerEndedError, startCluster, type Cluster } from './cluster.ts';
import { complaintAbout } from './judge.ts';
import { readingOf, type Reading } from './reading.ts';
import { may } from './rights.ts';
import { roles, type Role } from './roles.ts';
import type { Shape } from './shapes.ts';
import type { Answer, Connection, Transport } from './transport.ts';

export interface Way {
  readonly name: string;
  readonly upgrade: boolean;
  /** Whether Node's parser may refuse the methods before the server sees them. */
  readonly unparsed: boolean;
  readonly methods: readonly string[];
  readonly shapes: readonly Shape[];
  /** Whether the administrator gets anything by it. */
  readonly succeeds: boolean;
  /** Each role takes one of so many shapes, another role others. */
  readonly every: number;
  /** Requests under way at once. */
  readonly width: number;
  open(connection: Connection): Transport;
}

interface Case {
  readonly role: Role;
  readonly way: Way;
  readonly method: string;
  /** With dryRun where it is permitted, so that the fixture stays as it is. */
  readonly target: string;
  readonly shape: Shape;
  readonly reading: Reading;
  readonly permitted: boolean;
  readonly exists: boolean;
}

export interface Exploration {
  /** What was sent. */
  readonly requests: number;
  /** What was permitted and succeeded: a server that refuses everything has none. */
  readonly successes: number;
  readonly findings: readonly string[];
}

export interface Explorer {
  explore(role: Role, way: Way): Promise<Exploration>;
  close(): Promise<void>;
}

export async function createExplorer(): Promise<Explorer> {
  let cluster = await startCluster();
  const renew = async (): Promise<void> => {
    await cluster.close();
    cluster = await startCluster();
  };

  /** One method's requests; afterwards nothing is changed, or that is found. */
  const attempt = async (cases: readonly Case[], findings: string[]): Promise<Answer[]> => {
    const before = await cluster.revision();
    const reachedBefore = cluster.reachedNode();
    const answers = await sendAll(cluster, cases);
    const more = cases.flatMap((each, i) => {
      const answer = answers[i] ?? { code: 0, text: '' };
      const complaint = complaintAbout({ ...each, ...each.way, answer });
      return complaint === undefined
        ? []
        : [`${describe(each)}: ${complaint}, got ${told(answer)}`];
    });
    const [first] = cases;
    const what =
      first === undefined || cases.length === 1
        ? cases.map(describe).join('')
        : `${first.role.name}, ${first.way.name}: ${first.method.slice(0, 20)}, one of ${cases.length}`;
    const harm: string[] = [];
    let gone = false;
    try {
      const reached = cluster.reachedNode() - reachedBefore;
      const mayReach = cases.filter(each => each.permitted && reachesNode(each)).length;
      if (reached > mayReach)
        harm.push(`${reached} requests reached the node where ${mayReach} may`);
      if ((await cluster.revision()) !== before)
        harm.push(`wrote ${(await cluster.changes()).join(', ') || 'what is gone again'}`);
      findings.push(...more);
    } catch (error) {
      if (!(error instanceof ServerEndedError)) throw error;
      gone = true;
      harm.push(`the server is gone: ${error.message}`);
    }
    if (harm.length > 0) {
      findings.push(`${what}: ${harm.join('; ')}`);
      await renew();
      // Whatever was served without the right has been named; else each shows alone whether it was the one.
      if (cases.length > 1 && (gone || more.length === 0)) await narrow(cases, findings);
    }
    return answers;
  };

  /** Finds the first of several requests that does harm. */
  const narrow = async (cases: readonly Case[], findings: string[]): Promise<void> => {
    const found = findings.length;
    for (const each of cases) {
      await attempt([each], findings);
      if (findings.length > found) return;
    }
  };

  return {
    async explore(role, way) {
      const findings: string[] = [];
      const codes = new Map<string, number>();
      let requests = 0;
      let successes = 0;
      for (const method of way.methods) {
        const cases = casesOf(cluster, role, way, method);
        const answers = await attempt(cases, findings);
        requests += cases.length;
        for (const [i, each] of cases.entries()) {
          const code = answers[i]?.code ?? 0;
          codes.set(`${method} ${each.target}`, code);
          if (each.permitted && (code === 101 || (code >= 200 && code < 300))) successes += 1;
          const asked = codes.get(`GET ${each.target}`);
          if (method !== 'HEAD' || !isPlainResource(each) || code === 405) continue;
          if (asked !== undefined && asked !== code)
            findings.push(`${describe(each)}: expected ${asked} as GET, got ${code}`);
        }
      }
      return { requests, successes, findings: [...new Set(findings)] };
    },
    close: () => cluster.close(),
  };
}

function casesOf(cluster: Cluster, role: Role, way: Way, method: string): Case[] {
  const offset = roles.indexOf(role);
  const shapes = way.shapes.filter((_, i) => (i + offset) % way.every === 0);
  return shapes.map(shape => {
    const reading = readingOf({ method, target: shape.target }, cluster.declared);
    const permitted = reading.access !== undefined && may(role, reading.access);
    const writes = permitted && method !== 'GET' && method !== 'HEAD';
    const separator = shape.target.includes('?') ? '&' : '?';
    const harmless = writes && !shape.target.includes('dryRun');
    const target = harmless ? `${shape.target}${separator}dryRun=All` : shape.target;
    return {
      role,
      way,
      method,
      target,
      shape,
      reading,
      permitted,
      exists: isHeld(reading, cluster),
    };
  });
}

async function sendAll(cluster: Cluster, cases: readonly Case[]): Promise<Answer[]> {
  const [first] = cases;
  if (first === undefined) return [];
  const transport = first.way.open(cluster.connectionOf(first.role));
  const answers: Answer[] = [];
  const waiting = cases.entries();
  const worker = async (): Promise<void> => {
    for (const [i, { method, target, shape }] of waiting) {
      const { contentType, text } = bodyOf(method, shape, cluster.find);
      answers[i] = await transport.send({ method, target, contentType, body: text });
    }
  };
  await Promise.all(Array.from({ length: first.way.width }, worker));
  transport.close();
  return answers;
}

/** Whether the fixture holds the object, or the namespace of the collection. */
function isHeld({ access }: Reading, { holds }: Cluster): boolean {
  if (access?.type !== 'resource') return false;
  const { resource, namespace, name } = access;
  if (name !== '') return holds(resource, resource === 'namespaces' ? '' : namespace, name);
  return namespace === '' || holds('namespaces', '', namespace);
}

const reachesNode = ({ reading: { access } }: Case): boolean =>
  access?.type === 'resource' &&
  ['exec', 'attach', 'portforward', 'log'].includes(access.subresource);

const isPlainResource = ({ reading: { access, plain } }: Case): boolean =>
  plain && access?.type === 'resource';

const describe = ({ role, way, method, target, reading, permitted }: Case): string => {
  const { access } = reading;
  const right =
    access === undefined
      ? 'declared by nothing'
      : `${permitted ? 'may' : 'may not'} ${access.verb}`;
  return `${role.name}, ${way.name}: ${method.slice(0, 20)} ${target} (${right})`;
};

const told = ({ code, text, problem }: Answer): string =>
  `${code} ${(problem ?? text).slice(0, 160)}`;

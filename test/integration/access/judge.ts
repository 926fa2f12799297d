/** Whether an answer is one that Kubernetes' rules allow. */
import type { KubernetesObject } from './bodies.ts';
import { secretValue } from './fixture.ts';
import type { Operation, Reading } from './reading.ts';
import type { Role } from './roles.ts';
import type { Answer } from './transport.ts';

export interface Judged {
  readonly role: Role;
  readonly method: string;
  readonly target: string;
  readonly upgrade: boolean;
  /** Whether Node's parser may refuse the method before the server sees it, by 400 or by closing. */
  readonly unparsed: boolean;
  readonly reading: Reading;
  readonly permitted: boolean;
  /** Whether the fixture holds what is asked for. */
  readonly exists: boolean;
  readonly answer: Answer;
}

const streams = new Set(['exec', 'attach', 'portforward']);
const encodedSecret = Buffer.from(secretValue).toString('base64');

/** What is wrong; undefined where nothing is. */
export function complaintAbout(judged: Judged): string | undefined {
  const { reading, permitted, answer, upgrade, exists } = judged;
  const { access, plain } = reading;
  const { code, text } = answer;
  const served = code === 101 || (code >= 200 && code < 300);
  if (judged.unparsed && (code === 0 || code === 400)) return undefined;
  if (code === 0) return `expected an answer: ${answer.problem ?? ''}`;
  if (code >= 500) return `expected no fault of the server's`;
  if (!permitted && (text.includes(secretValue) || text.includes(encodedSecret)))
    return "expected no secret's value";
  if (access === undefined) return undeclared(judged);
  if (!permitted) {
    if (served) return 'expected a refusal';
    return plain && !upgrade && !isRefusal(judged) ? 'expected 403' : undefined;
  }
  if (access.type === 'path') {
    return plain && !upgrade && code !== 200 ? 'expected 200' : undefined;
  }
  const isStream = streams.has(access.subresource);
  if (code === 101 && !(upgrade && isStream)) return 'expected no upgrade';
  if (served && code !== 101) return wrongObject(access, judged);
  if (!plain) return undefined;
  if (isStream) {
    const expected = !upgrade ? 400 : exists ? 101 : 404;
    return code === expected || isUnroutedHead(judged) ? undefined : `expected ${expected}`;
  }
  return upgrade ? undefined : expectSuccess(judged);
}

function undeclared({ reading, answer: { code } }: Judged): string | undefined {
  const refusals = [401, 403, 404, 405];
  // A name or namespace that no object can bear is told so (NamespaceKeyFunc's "Name parameter invalid").
  if (!reading.plain) refusals.push(400);
  return refusals.includes(code) ? undefined : 'expected 404 or 405';
}

/** What a node may ask for is refused by admission, which looks for the namespace first. */
const isRefusal = (judged: Judged): boolean =>
  judged.answer.code === 403 ||
  isUnroutedHead(judged) ||
  (judged.role.node !== undefined && !judged.exists && judged.answer.code === 404);

/** Kubernetes routes no HEAD (pkg/endpoints/installer.go): it may be answered as GET is, or not at all. */
export const isUnroutedHead = ({ method, answer }: Pick<Judged, 'method' | 'answer'>): boolean =>
  method === 'HEAD' && answer.code === 405;

function expectSuccess(judged: Judged): string | undefined {
  const isAbsent = !judged.exists && judged.answer.code === 404;
  return isAbsent || isUnroutedHead(judged) ? undefined : 'expected success';
}

/** What was answered has to be what was authorised: of that kind, namespace and name. */
function wrongObject(access: Operation, { method, answer: { text } }: Judged): string | undefined {
  if (method === 'HEAD' || access.verb === 'watch' || access.subresource === 'log')
    return access.verb === 'watch' ? wrongEvent(access, text) : undefined;
  const body = parsed(text);
  if (body === undefined) return 'expected JSON';
  if (body.items !== undefined) {
    if (body.kind !== `${access.kind}List`) return `expected a list of ${access.kind}`;
    const wrong = body.items.find(each => !isCovered(access, each));
    return wrong === undefined ? undefined : `expected no ${describe(wrong)} in the list`;
  }
  if (body.kind === 'Status') {
    return access.verb === 'delete' || access.verb === 'create' ? undefined : 'expected an object';
  }
  if (body.kind !== access.kind) return `expected ${access.kind}, not ${body.kind ?? 'nothing'}`;
  const { metadata } = body;
  return metadata?.name === undefined || isCovered(access, { metadata })
    ? undefined
    : `expected another object than ${describe({ metadata })}`;
}

interface AnsweredObject extends Partial<KubernetesObject> {
  readonly items?: readonly KubernetesObject[];
}

function parsed(text: string): AnsweredObject | undefined {
  try {
    return JSON.parse(text) as AnsweredObject;
  } catch {
    return undefined;
  }
}

function wrongEvent(access: Operation, text: string): string | undefined {
  const events = text
    .split('\n')
    .filter(line => line.includes('"type":"ADDED"'))
    .map(line => (JSON.parse(line) as { object: KubernetesObject }).object);
  const wrong = events.find(each => !isCovered(access, each));
  return wrong === undefined ? undefined : `expected no ${describe(wrong)} in the watch`;
}

type WithMetadata = Pick<KubernetesObject, 'metadata'>;

const isCovered = ({ namespace, name, resource }: Operation, { metadata }: WithMetadata): boolean =>
  (namespace === '' || resource === 'namespaces' || metadata.namespace === namespace) &&
  (name === '' || metadata.name === name);

const describe = ({ metadata }: WithMetadata): string =>
  `${metadata.namespace ?? ''}/${metadata.name}`;

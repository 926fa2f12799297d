import type { Client } from './client.ts';
import type { Tally } from './tally.ts';

/** Who sends an abuse, in the order of what it takes to be one. */
export type Sender = 'anonymous' | 'pod token' | 'user' | 'namespace admin' | 'token reviewer';

/** A kind of answer: a status code, a class of them, or what else became of a request. */
export type Outcome = number | '2xx' | '4xx' | 'connected' | 'closed' | 'unanswered';

export interface AbuseContext {
  readonly port: number;
  /** Who sends it. */
  readonly client: Client;
  readonly admin: Client;
  readonly tally: Tally;
  /** Aborts when the abuse has had its time. */
  readonly signal: AbortSignal;
}

/** One way to stop or starve a server. */
export interface Abuse {
  readonly name: string;
  readonly sender: Sender;
  /** Outcomes that are right. 429 with Retry-After always is; 5xx never. */
  readonly expects: readonly Outcome[];
  /** Part of the subset that `npm test` runs. */
  readonly quick?: true;
  /** What has to be there; its memory counts as there before. */
  readonly prepare?: (context: AbuseContext) => Promise<void>;
  readonly send: (context: AbuseContext) => Promise<void>;
  /** What is wrong afterwards. */
  readonly check?: (context: AbuseContext) => Promise<readonly string[]>;
  /** Removes what `prepare` and `send` made; memory is measured afterwards. */
  readonly cleanUp?: (context: AbuseContext) => Promise<void>;
}

/** The namespace that the namespace admin administers and the pod token belongs to. */
export const abusedNamespace = 'abused';
export const inNamespace = (resource: string): string =>
  `/api/v1/namespaces/${abusedNamespace}/${resource}`;

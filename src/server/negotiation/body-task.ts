import type { Status } from '../../machinery/status.ts';
import { parseOwnJson } from '../../machinery/decode/own-json.ts';
import { applyPatch, type Patch } from '../verbs/apply-patch.ts';
import { bodySchemas } from './body-schemas.ts';
import { decode, type DecodedBody, type DecodeOptions, type ExpectedKind } from './decode.ts';

/** An `ExpectedKind` that can be sent to a thread. */
export interface NamedKind extends Pick<ExpectedKind, 'apiVersion' | 'kind'> {
  readonly schemaName: string;
}

/** What is done with a body beside the event loop. */
export type BodyTask =
  | {
      readonly name: 'decode';
      readonly body: Uint8Array;
      readonly expected: NamedKind;
      readonly options: DecodeOptions;
    }
  | {
      readonly name: 'patch';
      /** JSON of the object that is patched. */
      readonly current: Uint8Array;
      readonly patch: Omit<Patch, 'body'> & { readonly body: Uint8Array };
      readonly expected: NamedKind;
    };

/** What a thread answers. Values come as JSON, so that they are parsed when it is their turn. */
export type BodyAnswer =
  | { readonly json: Uint8Array; readonly warnings: readonly string[] }
  | { readonly status: Status }
  | { readonly unexpected: unknown };

export const namedKind = ({ apiVersion, kind, schema }: ExpectedKind): NamedKind => ({
  apiVersion,
  kind,
  schemaName: schema.name,
});

/** Does what a thread was asked to do. @throws StatusError */
export function runBodyTask(task: BodyTask): DecodedBody {
  const expected = expectedKind(task.expected);
  if (task.name === 'decode') return decode(bufferOf(task.body), expected, task.options);
  const current = parseOwnJson(bufferOf(task.current).toString()) as Record<string, unknown>;
  return applyPatch(current, { ...task.patch, body: bufferOf(task.patch.body) }, expected);
}

function expectedKind({ apiVersion, kind, schemaName }: NamedKind): ExpectedKind {
  const schema = bodySchemas.get(schemaName);
  if (schema === undefined) throw new Error(`No body has the schema ${schemaName}`);
  return { apiVersion, kind, schema };
}

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

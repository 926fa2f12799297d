import { countJsonValues } from '../../machinery/decode/json.ts';
import type { Client } from '../http/limits/clients.ts';
import { nextTurn, type Turn } from '../turns.ts';
import { mediaTypeOf, protobufType } from './decode.ts';

const largeBytes = 256 * 1024;
const largeValues = 2000;
/** Fewer bytes are not worth counting values: they are read in a few milliseconds whatever they hold. */
const smallBytes = 32 * 1024;
/** Protobuf has a field in two bytes, and they are not counted beforehand. */
const largeProtobufBytes = 16 * 1024;

/** Whether a body is decoded beside the event loop, and worked on in pieces. */
export const isLargeBody = (body: Buffer, contentType: string | undefined): boolean =>
  mediaTypeOf(contentType) === protobufType
    ? body.length > largeProtobufBytes
    : isLargeObject(body);

/** Whether it takes long to parse or to copy an object. */
export const isLargeObject = (json: Buffer): boolean =>
  json.length > largeBytes || (json.length > smallBytes && countJsonValues(json) > largeValues);

const immediate = (): undefined => undefined;

/** Waits for the client's turn between the steps of large work; other work goes on at once. */
export const turnOf = (client: Client, isLarge: boolean): Turn =>
  isLarge ? () => nextTurn(client.key) : immediate;

import { goQuote } from '../../machinery/go-quote.ts';
import { badRequest } from '../../machinery/status.ts';

/** The query of a request: parsed once, read by many, never changed. */
export type Query = Pick<URLSearchParams, 'get' | 'getAll' | 'has' | 'toString'>;

/** A number of the query; undefined where it is absent or empty. @throws StatusError BadRequest */
export function integerOf(query: Query, name: string): number | undefined {
  const text = query.get(name) ?? '';
  if (text === '') return undefined;
  const wrong = (why: string) => badRequest(`strconv.ParseInt: parsing ${goQuote(text)}: ${why}`);
  if (!/^[+-]?\d+$/.test(text)) throw wrong('invalid syntax');
  if (BigInt.asIntN(64, BigInt(text)) !== BigInt(text)) throw wrong('value out of range');
  return Number(text);
}

/** A yes or no of the query: there, it is a yes unless it says no. */
export function booleanOf(query: Query, name: string): boolean {
  const text = query.get(name);
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}

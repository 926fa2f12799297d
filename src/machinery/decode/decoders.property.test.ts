import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { NodeSchema } from '../../api/core/v1/node.ts';
import { PodSchema } from '../../api/core/v1/pod/pod-schema.ts';
import { parseQuantity, quantityError } from '../quantity.ts';
import { duplicateFields } from './duplicate-fields.ts';
import { parseJson } from './json.ts';
import { decodeMessage, openEnvelope } from './protobuf.ts';
import { checkStructure, StructureError } from './structure.ts';
import { parseYaml } from './yaml.ts';

/** Bodies made to be expensive: few pieces, each repeated very often. */
const repeated = (...pieces: string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.constantFrom(...pieces), fc.integer({ min: 1, max: 3000 })), {
      maxLength: 4,
    })
    .map(parts => parts.map(([piece, count]) => piece.repeat(count)).join(''));

/** An answer, or a refusal that a client is told. */
function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    expect([SyntaxError, StructureError]).toContain((error as Error).constructor);
    return undefined;
  }
}

test('any text is JSON or refused, as by JSON.parse', () => {
  const text = repeated(
    '[',
    ']',
    '{"a":',
    '}',
    '"',
    '\\',
    '1',
    '1e999',
    ',',
    ' ',
    'null',
    '"a":1,',
  );
  fc.assert(
    fc.property(fc.oneof(text, fc.json()), json => {
      const value = decoded(() => parseJson(Buffer.from(json), json));
      if (value === undefined) return;
      expect(value).toEqual(JSON.parse(json));
      decoded(() => checkStructure(PodSchema, value));
      expect(duplicateFields(json, value).length).toBeLessThanOrEqual(100);
    }),
  );
});

test('what JSON.stringify writes has no duplicate, and one that is put in is found', () => {
  const key = fc.string({ unit: 'binary', maxLength: 20 });
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue(), { minKeys: 1, maxKeys: 8 }), object => {
      const json = JSON.stringify(object, null, 1);
      expect(duplicateFields(json, JSON.parse(json))).toEqual([]);
      const [first = ''] = Object.keys(JSON.parse(json) as object);
      const twice = `${json.slice(0, -1)},${JSON.stringify(first)}:0}`;
      expect(duplicateFields(twice, JSON.parse(twice))).toEqual([first]);
    }),
  );
});

test('any text is YAML or refused', { timeout: 60_000 }, () => {
  const text = repeated(
    '[',
    ']',
    '{',
    '}',
    '- ',
    '? ',
    ': ',
    'a: ',
    '&a ',
    '*a ',
    '!a ',
    '"',
    "'",
    '|\n',
    '\n',
    ' ',
    '#',
    '<<: ',
    '---\n',
  );
  fc.assert(
    fc.property(text, yaml => void decoded(() => parseYaml(yaml))),
    { numRuns: 60 },
  );
});

test('any bytes are protobuf or refused', () => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(
        fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 500 })),
        { maxLength: 4 },
      )
      .map(parts =>
        Buffer.concat(parts.map(([piece, count]) => Buffer.alloc(piece.length * count, piece))),
      ),
  );
  fc.assert(
    fc.property(content, bytes => {
      const body = Buffer.from(bytes);
      decoded(() => openEnvelope(Buffer.concat([Buffer.from('k8s\0'), body])));
      for (const schema of [PodSchema, NodeSchema]) decoded(() => decodeMessage(schema, body));
    }),
    { numRuns: 500 },
  );
});

const max = (2n ** 63n - 1n) * 10n ** 9n;

test('any text is a quantity within bounds, or none', () => {
  const text = repeated('0', '9', '1', '.', 'e', 'E', '+', '-', 'Ki', 'm', 'x');
  fc.assert(
    fc.property(text, quantity => {
      const amount = parseQuantity(quantity);
      expect(amount >= -max && amount <= max).toBe(true);
      if (quantityError(quantity) !== undefined) expect(amount).toBe(0n);
    }),
  );
});

test('a quantity is its number of nano-units, rounded up', () => {
  const parts = fc.tuple(fc.bigInt(0n, 10n ** 12n), fc.integer({ min: -30, max: 6 }));
  fc.assert(
    fc.property(parts, ([number, exponent]) => {
      const places = exponent + 9;
      const divisor = 10n ** BigInt(Math.max(-places, 0));
      const exact = number * 10n ** BigInt(Math.max(places, 0));
      expect(parseQuantity(`${number}e${exponent}`)).toBe((exact + divisor - 1n) / divisor);
    }),
  );
});

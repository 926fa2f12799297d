import { memberOf } from '../../machinery/member.ts';
import { stringify } from 'yaml';
import { bytesField, messageField, stringField } from './wire-writer.ts';

/*
 * OpenAPI v2 as protobuf, by the field numbers of gnostic's OpenAPIv2.proto: kubectl asks for v2 in
 * this form alone, and validates lists with it. Only what kubectl reads is written.
 */
type Json = Readonly<Record<string, unknown>>;

export function encodeOpenApiV2(document: Json): Buffer {
  const { swagger, info, paths, definitions } = document as {
    swagger: string;
    info: Json;
    paths: Json;
    definitions: Json;
  };
  return Buffer.concat([
    stringField(1, swagger),
    messageField(2, [
      stringField(1, String(info['title'])),
      stringField(2, String(info['version'])),
    ]),
    messageField(
      8,
      Object.entries(paths).map(([name, item]) => named(2, name, pathItem(item as Json))),
    ),
    messageField(
      9,
      Object.entries(definitions).map(([name, schema]) =>
        named(1, name, encodeSchema(schema as Json)),
      ),
    ),
  ]);
}

const named = (number: number, name: string, value: readonly Buffer[]): Buffer =>
  messageField(number, [stringField(1, name), messageField(2, value)]);

const methods = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

const pathItem = (item: Json): Buffer[] =>
  Object.entries(methods).flatMap(([method, number]) => {
    const operation = memberOf(item, method) as Json | undefined;
    return operation === undefined ? [] : [messageField(number, encodeOperation(operation))];
  });

function encodeOperation(operation: Json): Buffer[] {
  const parameters = (operation['parameters'] ?? []) as { name: string; type: string }[];
  return [
    stringField(3, String(operation['description'])),
    stringField(5, String(operation['operationId'])),
    // Each is a query parameter: ParametersItem { 1 Parameter { 2 NonBodyParameter { 3 query } } }.
    ...parameters.map(({ name, type }) =>
      messageField(8, [
        messageField(1, [
          messageField(2, [
            messageField(3, [stringField(2, 'query'), stringField(4, name), stringField(6, type)]),
          ]),
        ]),
      ]),
    ),
    messageField(9, []),
    ...extensions(13, operation),
  ];
}

function encodeSchema(schema: Json): Buffer[] {
  const fields: Buffer[] = [];
  const text = (number: number, name: string): void => {
    const value = memberOf(schema, name);
    if (typeof value === 'string') fields.push(stringField(number, value));
  };
  text(1, '$ref');
  text(2, 'format');
  text(4, 'description');
  for (const name of (schema['required'] ?? []) as string[]) fields.push(stringField(19, name));
  if (schema['additionalProperties'] !== undefined) {
    fields.push(
      messageField(21, [messageField(1, encodeSchema(schema['additionalProperties'] as Json))]),
    );
  }
  if (typeof schema['type'] === 'string')
    fields.push(messageField(22, [stringField(1, schema['type'])]));
  if (schema['items'] !== undefined) {
    fields.push(messageField(23, [messageField(1, encodeSchema(schema['items'] as Json))]));
  }
  if (schema['properties'] !== undefined) {
    const properties = Object.entries(schema['properties'] as Json);
    fields.push(
      messageField(
        25,
        properties.map(([name, each]) => named(1, name, encodeSchema(each as Json))),
      ),
    );
  }
  return [...fields, ...extensions(31, schema)];
}

/** `x-…` members, as YAML in an Any. */
const extensions = (number: number, of: Json): Buffer[] =>
  Object.entries(of)
    .filter(([name]) => name.startsWith('x-'))
    .map(([name, value]) => named(number, name, [bytesField(2, Buffer.from(stringify(value)))]));

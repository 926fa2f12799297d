import { resolve, type Field, type ObjectSchema, type Schema } from '../../machinery/schema.ts';

/** Where `$ref`s point: v2 and v3 differ only there. */
export type RefPrefix = '#/definitions/' | '#/components/schemas/';

/** Collects the named object schemas that `roots` reach, as OpenAPI. */
export function openApiSchemas(
  roots: readonly ObjectSchema[],
  refPrefix: RefPrefix,
): Map<string, object> {
  const schemas = new Map<string, object>();
  const visit = (schema: Schema): void => {
    const real = resolve(schema);
    if (real.kind === 'list') visit(real.items);
    else if (real.kind === 'map') visit(real.values);
    else if (real.kind === 'object' && !schemas.has(real.name)) {
      schemas.set(real.name, {});
      schemas.set(real.name, objectSchema(real, refPrefix));
      for (const field of Object.values(real.fields)) visit(field.schema);
    }
  };
  for (const root of roots) visit(root);
  return schemas;
}

function objectSchema(schema: ObjectSchema, refPrefix: RefPrefix): object {
  const required = Object.entries(schema.fields)
    .filter(([name, field]) => field.required && !['apiVersion', 'kind', 'metadata'].includes(name))
    .map(([name]) => name);
  return {
    description: schema.description,
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(schema.fields).map(([name, field]) => [name, property(field, refPrefix)]),
    ),
    ...(required.length === 0 ? {} : { required }),
  };
}

function property(field: Field, refPrefix: RefPrefix): object {
  const { description, strategy, mergeKey, listType, listMapKeys, mapType } = field;
  const type = typeOf(field.schema, refPrefix);
  // A $ref takes no neighbours in v3: it is wrapped, so that the description stays.
  const body =
    '$ref' in type && refPrefix === '#/components/schemas/' ? { allOf: [type], default: {} } : type;
  return {
    description,
    ...body,
    ...(field.default === undefined ? {} : { default: field.default }),
    ...(strategy === undefined ? {} : { 'x-kubernetes-patch-strategy': strategy }),
    ...(mergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': mergeKey }),
    ...(listType === undefined ? {} : { 'x-kubernetes-list-type': listType }),
    ...(listMapKeys === undefined ? {} : { 'x-kubernetes-list-map-keys': listMapKeys }),
    ...(mapType === undefined ? {} : { 'x-kubernetes-map-type': mapType }),
  };
}

function typeOf(schema: Schema, refPrefix: RefPrefix): object {
  const real = resolve(schema);
  switch (real.kind) {
    case 'string':
      return {
        type: 'string',
        ...(real.format === undefined ? {} : { format: 'date-time' }),
        ...(real.enum === undefined ? {} : { enum: real.enum }),
      };
    case 'boolean':
      return { type: 'boolean' };
    case 'integer':
      return { type: 'integer', format: real.format };
    case 'number':
      return { type: 'number', format: 'double' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'quantity':
      return { type: 'string' };
    case 'int-or-string':
      return { type: 'string', format: 'int-or-string' };
    case 'raw':
      return { type: 'object' };
    case 'map':
      return { type: 'object', additionalProperties: typeOf(real.values, refPrefix) };
    case 'list':
      return { type: 'array', items: typeOf(real.items, refPrefix) };
    case 'object':
      return { $ref: `${refPrefix}${real.name}` };
  }
}

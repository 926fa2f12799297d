/**
 * One schema a type. It drives the TypeScript type (`Infer`), strict decoding of JSON, decoding of
 * protobuf bodies, OpenAPI v2 and v3, `kubectl explain`, and strategic merge patch.
 */

/** A string. `format: 'date-time'` is RFC 3339 (metav1.Time or MicroTime). */
export interface StringSchema<V extends string = string> {
  readonly kind: 'string';
  readonly format?: 'date-time' | 'micro-time';
  /** For OpenAPI only; values are checked by the resource's own validation. */
  readonly enum?: readonly V[];
}
export interface BooleanSchema {
  readonly kind: 'boolean';
}
export interface IntegerSchema {
  readonly kind: 'integer';
  readonly format: 'int32' | 'int64';
}
export interface NumberSchema {
  readonly kind: 'number';
}
/** Base64 in JSON (RFC 4648 §4, padded), raw in protobuf. */
export interface BytesSchema {
  readonly kind: 'bytes';
}
/** resource.Quantity: a string or a number in JSON, message {1: string} in protobuf. */
export interface QuantitySchema {
  readonly kind: 'quantity';
}
/** intstr.IntOrString: message {1: type, 2: int, 3: string} in protobuf. */
export interface IntOrStringSchema {
  readonly kind: 'int-or-string';
}
/** Any JSON: runtime.RawExtension (message {1: bytes of JSON}), managedFields' fieldsV1. */
export interface RawSchema {
  readonly kind: 'raw';
}
export interface MapSchema<S extends Schema = Schema> {
  readonly kind: 'map';
  readonly values: S;
}
export interface ListSchema<S extends Schema = Schema> {
  readonly kind: 'list';
  readonly items: S;
}
export type Fields = Readonly<Record<string, Field>>;
export interface ObjectSchema<F extends Fields = Fields> {
  readonly kind: 'object';
  /** OpenAPI definition name, such as `io.k8s.api.core.v1.Secret`. */
  readonly name: string;
  readonly description: string;
  readonly fields: F;
}
/** For types that contain themselves. */
export interface LazySchema<S extends Schema = Schema> {
  readonly kind: 'lazy';
  readonly get: () => S;
}

export type Schema =
  | StringSchema
  | BooleanSchema
  | IntegerSchema
  | NumberSchema
  | BytesSchema
  | QuantitySchema
  | IntOrStringSchema
  | RawSchema
  | MapSchema
  | ListSchema
  | ObjectSchema
  | LazySchema;

/** How a strategic merge patch treats a field, and what OpenAPI says of it. */
export interface MergeRule {
  /** `x-kubernetes-patch-strategy`. */
  readonly strategy?: 'merge' | 'retainKeys' | 'merge,retainKeys';
  /** `x-kubernetes-patch-merge-key`: lists of objects only. */
  readonly mergeKey?: string;
  /** `x-kubernetes-list-type`. */
  readonly listType?: 'atomic' | 'set' | 'map';
  /** `x-kubernetes-list-map-keys`. */
  readonly listMapKeys?: readonly string[];
  /** `x-kubernetes-map-type: atomic`. */
  readonly mapType?: 'atomic';
}

export interface Field<S extends Schema = Schema, R extends boolean = boolean> extends MergeRule {
  /** Field number in Kubernetes' generated.proto; 0 where the type has no protobuf form. */
  readonly number: number;
  readonly schema: S;
  readonly description: string;
  /** Required in OpenAPI, and present in the TypeScript type. Its absence is reported by validation, not by decoding. */
  readonly required: R;
  readonly default?: unknown;
  /** In protobuf the field lies in an embedded message of this number; in JSON it is inlined. */
  readonly within?: number;
}

type RequiredKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<Schema, true> ? K : never;
}[keyof F];

/** The TypeScript type of the JSON form. */
export type Infer<S> =
  S extends StringSchema<infer V>
    ? V
    : S extends BooleanSchema
      ? boolean
      : S extends IntegerSchema | NumberSchema
        ? number
        : S extends BytesSchema
          ? string
          : S extends QuantitySchema | IntOrStringSchema
            ? string | number
            : S extends RawSchema
              ? unknown
              : S extends MapSchema<infer V>
                ? Record<string, Infer<V>>
                : S extends ListSchema<infer I>
                  ? Infer<I>[]
                  : S extends LazySchema<infer L>
                    ? Infer<L>
                    : S extends ObjectSchema<infer F>
                      ? InferFields<F>
                      : never;

/** Properties are writable: a decoded object is a plain value that its owner may fill in. */
export type InferFields<F extends Fields> = {
  -readonly [K in RequiredKeys<F>]: Infer<F[K]['schema']>;
} & {
  -readonly [K in Exclude<keyof F, RequiredKeys<F>>]?: Infer<F[K]['schema']> | undefined;
};

export const string = (): StringSchema => ({ kind: 'string' });
export const oneOf = <const V extends string>(...values: V[]): StringSchema<V> => ({
  kind: 'string',
  enum: values,
});
export const time = (): StringSchema => ({ kind: 'string', format: 'date-time' });
export const microTime = (): StringSchema => ({ kind: 'string', format: 'micro-time' });
export const boolean = (): BooleanSchema => ({ kind: 'boolean' });
export const int32 = (): IntegerSchema => ({ kind: 'integer', format: 'int32' });
export const int64 = (): IntegerSchema => ({ kind: 'integer', format: 'int64' });
/** @public no built-in type has one yet */
export const double = (): NumberSchema => ({ kind: 'number' });
export const bytes = (): BytesSchema => ({ kind: 'bytes' });
export const quantity = (): QuantitySchema => ({ kind: 'quantity' });
export const intOrString = (): IntOrStringSchema => ({ kind: 'int-or-string' });
export const raw = (): RawSchema => ({ kind: 'raw' });
export const map = <S extends Schema>(values: S): MapSchema<S> => ({ kind: 'map', values });
export const list = <S extends Schema>(items: S): ListSchema<S> => ({ kind: 'list', items });
/** @public for types that contain themselves: no built-in type does yet */
export const lazy = <S extends Schema>(get: () => S): LazySchema<S> => ({ kind: 'lazy', get });
export const object = <const F extends Fields>(
  name: string,
  description: string,
  fields: F,
): ObjectSchema<F> => ({ kind: 'object', name, description, fields });

export interface FieldOptions extends MergeRule {
  readonly default?: unknown;
  readonly within?: number;
}

/** An optional field. @param number its number in generated.proto */
export const optional = <S extends Schema>(
  number: number,
  schema: S,
  description: string,
  options: FieldOptions = {},
): Field<S, false> => ({ number, schema, description, required: false, ...options });

/** A field that is required in OpenAPI and always present in the type. */
export const required = <S extends Schema>(
  number: number,
  schema: S,
  description: string,
  options: FieldOptions = {},
): Field<S, true> => ({ number, schema, description, required: true, ...options });

/** Follows a lazy schema to the real one. */
export function resolve(schema: Schema): Exclude<Schema, LazySchema> {
  let current = schema;
  while (current.kind === 'lazy') current = current.get();
  return current;
}

/** The same fields, lying in an embedded message of that number in protobuf. */
export const within = <F extends Fields>(number: number, fields: F): F =>
  Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, { ...field, within: number }]),
  ) as F;

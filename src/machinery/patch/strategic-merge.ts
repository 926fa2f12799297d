import { memberOf, setMember } from '../member.ts';
import { resolve, type Field, type ObjectSchema, type Schema } from '../schema.ts';
import { PatchError } from './json-patch.ts';
import { isRecord } from './merge-patch.ts';

/*
 * Strategic merge patch (apimachinery util/strategicpatch), driven by the merge rules of the schema.
 *   $patch: replace | delete | merge       on an object or an element of a merged list
 *   $retainKeys: [names]                   every other key of the object goes
 *   $deleteFromPrimitiveList/<field>       values that leave a merged list of scalars
 *   $setElementOrder/<field>               the order that the merged list takes
 */
const deleteFromPrimitiveList = '$deleteFromPrimitiveList/';
const setElementOrder = '$setElementOrder/';

type Json = Record<string, unknown>;

/** Neither argument is changed. @throws PatchError for a malformed directive or an element without its merge key */
export function applyStrategicMerge(schema: ObjectSchema, target: Json, patch: Json): Json {
  return mergeObject(schema, target, patch);
}

function mergeObject(schema: Schema | undefined, target: Json, patch: Json): Json {
  const directive = patch['$patch'];
  if (directive === 'replace') return withoutDirectives(schema, patch);
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') {
    throw new PatchError(
      `invalid patch: unknown patch type ${JSON.stringify(directive)} found in map`,
    );
  }
  const merged = retained(target, patch['$retainKeys']);
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$')) continue;
    if (value === null) delete merged[name];
    else setMember(merged, name, mergeField(fieldOf(schema, name), memberOf(merged, name), value));
  }
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith(deleteFromPrimitiveList)) {
      const field = name.slice(deleteFromPrimitiveList.length);
      const list = memberOf(merged, field);
      if (Array.isArray(list) && Array.isArray(value)) {
        setMember(
          merged,
          field,
          list.filter(each => !value.includes(each)),
        );
      }
    } else if (name.startsWith(setElementOrder)) {
      const field = name.slice(setElementOrder.length);
      const list = memberOf(merged, field);
      if (Array.isArray(list) && Array.isArray(value)) {
        setMember(merged, field, inOrder(list, value, fieldOf(schema, field)?.mergeKey));
      }
    }
  }
  return merged;
}

function retained(target: Json, keys: unknown): Json {
  if (!Array.isArray(keys)) return { ...target };
  return Object.fromEntries(Object.entries(target).filter(([name]) => keys.includes(name)));
}

interface Rule {
  readonly schema: Schema;
  readonly mergeKey: string | undefined;
  readonly merges: boolean;
}

function fieldOf(schema: Schema | undefined, name: string): Rule | undefined {
  if (schema === undefined) return undefined;
  const real = resolve(schema);
  if (real.kind === 'map') return { schema: real.values, mergeKey: undefined, merges: false };
  if (real.kind !== 'object') return undefined;
  const field: Field | undefined = memberOf(real.fields, name);
  if (field === undefined) return undefined;
  return {
    schema: field.schema,
    mergeKey: field.mergeKey,
    merges: field.strategy?.includes('merge') === true,
  };
}

function mergeField(rule: Rule | undefined, target: unknown, patch: unknown): unknown {
  if (isRecord(patch)) return mergeObject(rule?.schema, isRecord(target) ? target : {}, patch);
  if (!Array.isArray(patch)) return patch;
  const items = rule === undefined ? undefined : resolve(rule.schema);
  const itemSchema = items?.kind === 'list' ? items.items : undefined;
  if (rule?.merges !== true) return patch.map(each => strip(itemSchema, each));
  const current = Array.isArray(target) ? (target as unknown[]) : [];
  if (rule.mergeKey === undefined) {
    // Lists that merge without a key are lists of scalars.
    return [...new Set([...current, ...patch])];
  }
  return mergeList(itemSchema, current, patch, rule.mergeKey);
}

function mergeList(
  schema: Schema | undefined,
  target: unknown[],
  patch: unknown[],
  key: string,
): unknown[] {
  if (patch.some(each => isRecord(each) && each['$patch'] === 'replace')) {
    return patch
      .filter(
        each => !(isRecord(each) && each['$patch'] === 'replace' && Object.keys(each).length === 1),
      )
      .map(each => strip(schema, each));
  }
  const merged: unknown[] = [...target];
  const places = new Map<unknown, number>();
  merged.forEach((each, i) => {
    if (isRecord(each) && !places.has(memberOf(each, key))) places.set(memberOf(each, key), i);
  });
  const removed = new Set<number>();
  for (const each of patch) {
    if (!isRecord(each)) throw new PatchError('expected a map in the patch of a merged list');
    const id = memberOf(each, key);
    if (id === undefined) {
      throw new PatchError(
        `map: map[${Object.keys(each).join(' ')}] does not contain declared merge key: ${key}`,
      );
    }
    const at = places.get(id);
    if (each['$patch'] === 'delete') {
      if (at !== undefined) removed.add(at);
      places.delete(id);
    } else if (at === undefined) places.set(id, merged.push(strip(schema, each)) - 1);
    else merged[at] = mergeObject(schema, merged[at] as Json, each);
  }
  return merged.filter((_, i) => !removed.has(i));
}

/** A list in the patch's order; elements that it does not name keep their place behind what preceded them. */
function inOrder(list: unknown[], order: unknown[], mergeKey: string | undefined): unknown[] {
  const idOf = (each: unknown): unknown =>
    mergeKey !== undefined && isRecord(each) ? memberOf(each, mergeKey) : each;
  const places = new Map(order.map((each, i) => [idOf(each), i]));
  const runs: { at: number; elements: unknown[] }[] = [{ at: -1, elements: [] }];
  for (const each of list) {
    const at = places.get(idOf(each));
    if (at === undefined) runs.at(-1)?.elements.push(each);
    else runs.push({ at, elements: [each] });
  }
  return runs.toSorted((a, b) => a.at - b.at).flatMap(({ elements }) => elements);
}

/** New content, whose directives have nothing to act on. */
function strip(schema: Schema | undefined, value: unknown): unknown {
  return isRecord(value) ? mergeObject(schema, {}, value) : value;
}

function withoutDirectives(schema: Schema | undefined, patch: Json): Json {
  const { $patch: _replace, ...rest } = patch;
  return mergeObject(schema, {}, rest);
}

import { memberOf, setMember } from '../member.ts';
import { resolve, type Field, type ObjectSchema, type Schema } from '../schema.ts';
import { shorten } from '../shorten.ts';
import { isRecord } from './merge-patch.ts';
import { createWorkBudget, PatchError, type WorkBudget } from './patch-error.ts';

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
  return mergeObject(schema, target, patch, { own: new Set(), work: createWorkBudget() });
}

interface Merge {
  /** Objects and lists that were made here, which need not be copied to be changed. */
  readonly own: Set<object>;
  /** For lists that are merged more than once, by elements of the patch with the same key. */
  readonly work: WorkBudget;
}

function mergeObject(schema: Schema | undefined, target: Json, patch: Json, merge: Merge): Json {
  const directive = patch['$patch'];
  if (directive === 'replace') return withoutDirectives(schema, patch, merge);
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') {
    throw new PatchError(
      `invalid patch: unknown patch type ${shorten(JSON.stringify(directive))} found in map`,
    );
  }
  const merged = retained(target, patch['$retainKeys'], merge);
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$')) continue;
    if (value === null) delete merged[name];
    else {
      const rule = fieldOf(schema, name);
      setMember(merged, name, mergeField(rule, memberOf(merged, name), value, merge));
    }
  }
  for (const [name, value] of Object.entries(patch)) {
    if (!Array.isArray(value)) continue;
    if (name.startsWith(deleteFromPrimitiveList)) {
      const leaving = new Set<unknown>(value);
      changeList(merged, name.slice(deleteFromPrimitiveList.length), merge, list =>
        list.filter(each => !leaving.has(each)),
      );
    } else if (name.startsWith(setElementOrder)) {
      const field = name.slice(setElementOrder.length);
      const { mergeKey } = fieldOf(schema, field) ?? {};
      changeList(merged, field, merge, list => inOrder(list, value, mergeKey));
    }
  }
  return merged;
}

function retained(target: Json, keys: unknown, { own }: Merge): Json {
  if (!Array.isArray(keys) && own.has(target)) return target;
  const names = Array.isArray(keys) ? new Set<unknown>(keys) : undefined;
  const kept =
    names === undefined
      ? { ...target }
      : Object.fromEntries(Object.entries(target).filter(([name]) => names.has(name)));
  own.add(kept);
  return kept;
}

function changeList(
  object: Json,
  field: string,
  merge: Merge,
  change: (list: unknown[]) => unknown[],
): void {
  const list = memberOf(object, field);
  if (!Array.isArray(list)) return;
  setMember(object, field, made(change(charged(list, merge)), merge));
}

/** A list that is about to be walked: once is free. */
function charged(list: unknown[], { own, work }: Merge): unknown[] {
  if (own.has(list)) work.spend(list.length);
  return list;
}

function made(list: unknown[], { own }: Merge): unknown[] {
  own.add(list);
  return list;
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

function mergeField(
  rule: Rule | undefined,
  target: unknown,
  patch: unknown,
  merge: Merge,
): unknown {
  if (isRecord(patch)) {
    return mergeObject(rule?.schema, isRecord(target) ? target : {}, patch, merge);
  }
  if (!Array.isArray(patch)) return patch;
  const items = rule === undefined ? undefined : resolve(rule.schema);
  const itemSchema = items?.kind === 'list' ? items.items : undefined;
  if (rule?.merges !== true) return patch.map(each => strip(itemSchema, each, merge));
  const current = Array.isArray(target) ? charged(target, merge) : [];
  if (rule.mergeKey === undefined) {
    // Lists that merge without a key are lists of scalars.
    return made([...new Set([...current, ...patch])], merge);
  }
  return made(mergeList({ schema: itemSchema, key: rule.mergeKey }, current, patch, merge), merge);
}

function mergeList(
  { schema, key }: { readonly schema: Schema | undefined; readonly key: string },
  target: unknown[],
  patch: unknown[],
  merge: Merge,
): unknown[] {
  if (patch.some(each => isRecord(each) && each['$patch'] === 'replace')) {
    return patch
      .filter(
        each => !(isRecord(each) && each['$patch'] === 'replace' && Object.keys(each).length === 1),
      )
      .map(each => strip(schema, each, merge));
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
        `map: map[${shorten(Object.keys(each).join(' '))}] does not contain declared merge key: ${key}`,
      );
    }
    const at = places.get(id);
    if (each['$patch'] === 'delete') {
      if (at !== undefined) removed.add(at);
      places.delete(id);
    } else if (at === undefined) places.set(id, merged.push(strip(schema, each, merge)) - 1);
    else merged[at] = mergeObject(schema, merged[at] as Json, each, merge);
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
function strip(schema: Schema | undefined, value: unknown, merge: Merge): unknown {
  return isRecord(value) ? mergeObject(schema, {}, value, merge) : value;
}

function withoutDirectives(schema: Schema | undefined, patch: Json, merge: Merge): Json {
  const { $patch: _replace, ...rest } = patch;
  return mergeObject(schema, {}, rest, merge);
}

import { goQuote } from '../../machinery/go-quote.ts';
import { createInternTable, type InternTable } from '../../machinery/intern-table.ts';
import { fieldsMatch, type FieldRequirement } from '../../machinery/selectors/field-selector.ts';
import { parseLabelSelector } from '../../machinery/selectors/label-selector.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import {
  path,
  type FieldError,
  forbidden as forbiddenField,
  notSupported,
} from '../../machinery/field-error.ts';
import { badRequest, invalidObject, type StatusError } from '../../machinery/status.ts';
import type { ResourceOperation } from '../operation/operation.ts';
import type { ObjectFilter } from '../registry/object-store.ts';
import type { Query } from '../http/query.ts';

export interface Selection {
  /** The one name that a field selector asks for. */
  readonly name?: string;
  readonly namespace?: string;
  readonly filter?: ObjectFilter;
}

/** The namespace of an operation, its labelSelector and its fieldSelector. @throws StatusError BadRequest */
export function selectionOf({
  entry: { descriptor },
  query,
  namespace: within,
  fieldSelector: requirements,
  fieldSelectorError,
}: ResourceOperation): Selection {
  if (fieldSelectorError !== undefined) throw badRequest(fieldSelectorError);
  const exact = (field: string): FieldRequirement | undefined =>
    requirements.find(each => each.field === field && each.equals && each.value !== '');
  const name = exact('metadata.name');
  const inNamespace = exact('metadata.namespace');
  const namespace = within || inNamespace?.value;
  // What the place says need not be asked of each object in it.
  const isPlace = (each: FieldRequirement): boolean =>
    each === inNamespace
      ? each.value === namespace
      : each === name && (namespace !== undefined || !descriptor.namespaced);
  const filter = filterOf(descriptor, {
    labels: query.get('labelSelector') ?? '',
    fields: requirements.filter(each => !isPlace(each)),
  });
  const known = new Set(['metadata.name', 'metadata.namespace', ...selectable(descriptor)]);
  for (const { field } of requirements) {
    if (!known.has(field)) throw badRequest(`field label not supported: ${field}`);
  }
  return {
    ...(name === undefined ? {} : { name: name.value }),
    ...(namespace ? { namespace } : {}),
    ...(filter === undefined ? {} : { filter }),
  };
}

interface Selectors {
  readonly labels: string;
  readonly fields: readonly FieldRequirement[];
}

const filters = new WeakMap<ResourceDescriptor, InternTable<ObjectFilter>>();

/** Those who select the same are given the same filter, so that it is asked once about each change. */
function filterOf(descriptor: ResourceDescriptor, selectors: Selectors): ObjectFilter | undefined {
  const { labels, fields } = selectors;
  if (labels === '' && fields.length === 0) return undefined;
  let table = filters.get(descriptor);
  if (table === undefined) filters.set(descriptor, (table = createInternTable()));
  return table.get(JSON.stringify(selectors), () => {
    const matches = labels === '' ? undefined : parsed(() => parseLabelSelector(labels));
    return object =>
      (matches?.(object.metadata.labels ?? {}) ?? true) &&
      (fields.length === 0 || fieldsMatch(fields, fieldsOf(descriptor, object)));
  });
}

function parsed<R>(parse: () => R): R {
  try {
    return parse();
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

const fieldsOf = (descriptor: ResourceDescriptor, object: KubeObject): Record<string, string> => ({
  'metadata.name': object.metadata.name ?? '',
  'metadata.namespace': object.metadata.namespace ?? '',
  ...descriptor.selectableFields?.(object),
});

const probes = new WeakMap<ResourceDescriptor, readonly string[]>();

/** The names that the descriptor's function fills, learnt from an empty object. */
function selectable(descriptor: ResourceDescriptor): readonly string[] {
  let names = probes.get(descriptor);
  if (names === undefined) {
    const empty = {
      apiVersion: '',
      kind: '',
      metadata: {},
      spec: {},
      status: {},
      involvedObject: {},
    };
    names = Object.keys(descriptor.selectableFields?.(empty) ?? {});
    probes.set(descriptor, names);
  }
  return names;
}

/** Why Go's ParseUint refuses a text, if it does. */
function unsignedFault(text: string): string | undefined {
  if (!/^\d+$/.test(text)) return 'invalid syntax';
  const digits = text.replace(/^0+(?=\d)/, '');
  const max = '18446744073709551615';
  const fits = digits.length < max.length || (digits.length === max.length && digits <= max);
  return fits ? undefined : 'value out of range';
}

/** 422 about the options of a request: `CreateOptions.meta.k8s.io "" is invalid: …`. */
export const invalidOptions = (kind: string, errors: FieldError[]): StatusError =>
  invalidObject({ group: 'meta.k8s.io', kind }, '', errors);

/** resourceVersionMatch and sendInitialEvents go together in certain ways only. @throws StatusError */
export function checkVersionMatch(query: Query, watch: boolean): void {
  const match = query.get('resourceVersionMatch') ?? '';
  const version = query.get('resourceVersion') ?? '';
  const initial = query.get('sendInitialEvents');
  const at = path('resourceVersionMatch');
  const errors: FieldError[] = [];
  if (watch) {
    if (match !== '' && initial === null) {
      errors.push(
        forbiddenField(
          at,
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
      );
    }
    if (initial !== null && match !== 'NotOlderThan') {
      errors.push(
        forbiddenField(
          at,
          'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
        ),
      );
    }
  } else {
    if (initial !== null)
      errors.push(
        forbiddenField(path('sendInitialEvents'), 'sendInitialEvents is forbidden for list'),
      );
    if (match !== '' && version === '') {
      errors.push(
        forbiddenField(at, 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
      );
    }
    if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(notSupported(at, match, ['Exact', 'NotOlderThan', '']));
    }
    if (match === 'Exact' && version === '0') {
      errors.push(
        forbiddenField(at, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
      );
    }
  }
  if (errors.length > 0) throw invalidOptions('ListOptions', errors);
  const why = version === '' ? undefined : unsignedFault(version);
  if (why !== undefined) {
    throw badRequest(
      `invalid resource version ${goQuote(version)}: strconv.ParseUint: parsing ${goQuote(version)}: ${why}`,
    );
  }
}

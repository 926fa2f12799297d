import { notAcceptable } from '../../machinery/status.ts';

/** The form in which objects are answered. */
export interface Form {
  readonly as: 'object' | 'table' | 'metadata';
  readonly encoding: 'json' | 'yaml';
}

/** What is answered, as an error names it. */
export const acceptedTypes = ['application/json', 'application/yaml'];

const plainJson: Form = { as: 'object', encoding: 'json' };
const maxCached = 1000;
const maxCachedLength = 500;
const cache = new Map<string, Form | undefined>();

/** @throws StatusError NotAcceptable where the header has nothing that can be given */
export function negotiate(accept: string | undefined): Form {
  if (accept === undefined || accept === '' || accept === 'application/json') return plainJson;
  let form = cache.get(accept);
  if (form === undefined && !cache.has(accept)) {
    form = firstMatch(accept);
    // Clients send a handful of these; a hostile one must not fill the memory.
    if (cache.size < maxCached && accept.length < maxCachedLength) cache.set(accept, form);
  }
  if (form === undefined) {
    throw notAcceptable(acceptedTypes);
  }
  return form;
}

function firstMatch(accept: string): Form | undefined {
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map(part => part.trim());
    const named = Object.fromEntries(parameters.map(each => each.split('=')) as [string, string][]);
    const encoding =
      type === 'application/yaml'
        ? 'yaml'
        : ['application/json', '*/*', 'application/*', 'text/*'].includes(type)
          ? 'json'
          : undefined;
    if (encoding === undefined) continue;
    const as = named['as'];
    if (as === undefined) return { as: 'object', encoding };
    if (named['g'] !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(named['v'] ?? '')) continue;
    if (as === 'Table') return { as: 'table', encoding };
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
      return { as: 'metadata', encoding };
  }
  return undefined;
}

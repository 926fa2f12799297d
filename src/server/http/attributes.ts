import {
  parseFieldSelector,
  type FieldRequirement,
} from '../../machinery/selectors/field-selector.ts';
import { pathSegmentName } from '../../machinery/validation/names.ts';
import type { UserInfo } from '../authn/authenticator.ts';
import type { Attributes } from '../authz/authorizer.ts';
import type { RequestInfo } from './request-info.ts';

/** What a request has to be allowed. A list or watch of one name asks for that one object. */
export function attributesOf(
  info: RequestInfo,
  user: UserInfo,
  query: URLSearchParams,
): Attributes {
  const selector =
    info.verb === 'list' || info.verb === 'watch' ? (query.get('fieldSelector') ?? '') : '';
  const fieldSelector = selector === '' ? [] : requirementsOf(selector);
  // Written out: each request makes one, and a spread takes a microsecond.
  return {
    user,
    isResource: info.isResource,
    verb: info.verb,
    path: info.path,
    group: info.group,
    resource: info.resource,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name || selectedName(fieldSelector),
    fieldSelector,
  };
}

function selectedName(requirements: readonly FieldRequirement[]): string {
  const name = requirements.find(each => each.field === 'metadata.name' && each.equals)?.value;
  return name !== undefined && pathSegmentName(name).length === 0 ? name : '';
}

function requirementsOf(selector: string): FieldRequirement[] {
  try {
    return parseFieldSelector(selector);
  } catch {
    // The verb tells what is wrong with it, to those who may ask.
    return [];
  }
}

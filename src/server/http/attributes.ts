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
  if (selector === '') return { ...info, user };
  const fieldSelector = requirementsOf(selector);
  const selected = fieldSelector.find(each => each.field === 'metadata.name' && each.equals)?.value;
  const name =
    info.name === '' && selected && pathSegmentName(selected).length === 0 ? selected : info.name;
  return { ...info, user, name, fieldSelector };
}

function requirementsOf(selector: string): FieldRequirement[] {
  try {
    return parseFieldSelector(selector);
  } catch {
    // The verb tells what is wrong with it, to those who may ask.
    return [];
  }
}

import { memberOf } from '../member.ts';
import { boundSelector } from './bound-selector.ts';

/** Requirements of a fieldSelector, in the order written. */
export interface FieldRequirement {
  readonly field: string;
  readonly equals: boolean;
  readonly value: string;
}

/**
 * `a=b,c!=d`; `\` escapes a comma, an equals sign or itself.
 * @throws SyntaxError in Kubernetes' words
 */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const terms = splitTerms(text).filter(term => term !== '');
  boundSelector('field', terms.length);
  return terms.map(term => {
    const match = /^((?:\\.|[^=!\\])*)(!=|==|=)(.*)$/s.exec(term);
    if (match === null) {
      throw new SyntaxError(`invalid selector: '${text}'; can't understand '${term}'`);
    }
    const [, field = '', operator = '', value = ''] = match;
    return { field, equals: operator !== '!=', value: value.replaceAll(/\\(.)/gs, '$1') };
  });
}

const splitTerms = (text: string): string[] => text.match(/(?:\\.|[^,\\])+/gs) ?? [];

/** Whether an object's fields satisfy every requirement. Unknown fields are the caller's to refuse. */
export const fieldsMatch = (
  requirements: readonly FieldRequirement[],
  fields: Readonly<Record<string, string>>,
): boolean =>
  requirements.every(
    ({ field, equals, value }) => ((memberOf(fields, field) ?? '') === value) === equals,
  );

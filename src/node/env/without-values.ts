import type { Environment } from './build-environment.ts';

/** A value shorter than this says nothing, and taking it out would garble any text. */
const minLength = 3;

/** What of an environment no event, status or log may tell, the longest first. */
export const confidentialValues = ({ envs, confidential }: Environment): string[] =>
  envs
    .filter(({ key }) => confidential.has(key))
    .map(({ value }) => Buffer.from(value).toString())
    .flatMap(value => [value, JSON.stringify(value).slice(1, -1)])
    .filter(value => value.length >= minLength)
    .toSorted((a, b) => b.length - a.length);

/** A text with stars in the place of each value. */
export const withoutValues = (text: string, values: readonly string[]): string =>
  values.reduce((rest, value) => rest.replaceAll(value, '***'), text);

import { resources } from '../../api/index.ts';
import { apiVersionOf } from '../../machinery/resource.ts';
import { shorten } from '../../machinery/shorten.ts';
import { badRequest, type StatusError } from '../../machinery/status.ts';

/** What a body was expected to be. */
export interface ExpectedType {
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * A body whose version and kind could not be read (apiserver's transformDecodeError). Where
 * Kubernetes shows how the body begins, this does not: it may be a secret.
 */
export const unrecognized = ({ kind }: ExpectedType, words: string, body: Buffer): StatusError =>
  badRequest(
    `the object provided is unrecognized (must be of type ${kind}): ${words}${body.length === 0 ? ' (<empty>)' : ''}`,
  );

/** A body of a known version and kind that could not be read as what was expected. */
export const cannotBeHandled = (
  found: ExpectedType,
  expected: ExpectedType,
  words: string,
): StatusError =>
  badRequest(
    `${shorten(found.kind)} in version ${JSON.stringify(shorten(versionOf(found.apiVersion)))} cannot be handled as a ${expected.kind}: ${words}`,
  );

export const wrongType = (found: ExpectedType, expected: ExpectedType): StatusError =>
  isServed(found) && found.kind === expected.kind
    ? badRequest(
        `the API version in the data (${found.apiVersion}) does not match the expected API version (${expected.apiVersion})`,
      )
    : cannotBeHandled(found, expected, noConversion(found, expected));

/** Why a value of the one type is none of the other. */
export const noConversion = (found: ExpectedType, expected: ExpectedType): string =>
  isServed(found)
    ? `converting (${versionOf(found.apiVersion)}.${found.kind}) to (${goPackageOf(expected)}.${expected.kind}): unknown conversion`
    : `no kind ${JSON.stringify(shorten(found.kind))} is registered for version ${JSON.stringify(shorten(found.apiVersion))} in scheme "pkg/api/legacyscheme/scheme.go:30"`;

const versionOf = (apiVersion: string): string => apiVersion.split('/').at(-1) ?? '';

const isServed = ({ apiVersion, kind }: ExpectedType): boolean =>
  resources.some(each => each.kind === kind && apiVersionOf(each) === apiVersion);

/** Where Go keeps the type that the server works on: `core`, `coordination`. */
const goPackageOf = ({ apiVersion }: ExpectedType): string =>
  apiVersion.includes('/') ? (apiVersion.split(/[./]/)[0] ?? '') : 'core';

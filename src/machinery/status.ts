import { shownErrors, type FieldError } from './field-error.ts';

/** metav1.Status: what the API answers when it has no object to answer with. */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: StatusReason;
  details?: StatusDetails;
  code: number;
}

/** What answers a request that leaves no object to show. */
export const success = (more: { readonly code?: number; readonly details?: object }): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  ...more,
});

export type StatusReason =
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'ServerTimeout'
  | 'Timeout'
  | 'TooManyRequests'
  | 'BadRequest'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'InternalError'
  | 'Expired'
  | 'ServiceUnavailable'
  | 'StorageReadError'
  | 'Unknown';

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: { reason?: string; message?: string; field?: string }[];
  retryAfterSeconds?: number;
}

/** Names a resource in an error: `secrets`, `pods`, `leases.coordination.k8s.io`. */
export interface QualifiedResource {
  readonly group: string;
  readonly plural: string;
}

/** An error that the API answers as a Status. The one error class of the server and of its clients. */
export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? 'unknown error', options);
    this.name = 'StatusError';
    this.status = status;
  }

  get code(): number {
    return this.status.code;
  }

  get reason(): StatusReason {
    return this.status.reason ?? 'Unknown';
  }
}

export const isStatusError = (error: unknown, reason?: StatusReason): error is StatusError =>
  error instanceof StatusError && (reason === undefined || error.reason === reason);

/** For `.catch`: what is not there is undefined; every other error goes on. */
export function absent(error: unknown): undefined {
  if (!isStatusError(error, 'NotFound')) throw error;
}

const qualified = ({ group, plural }: QualifiedResource): string =>
  group === '' ? plural : `${plural}.${group}`;

export function failure(
  code: number,
  reason: StatusReason,
  message: string,
  details?: StatusDetails,
  options?: ErrorOptions,
): StatusError {
  return new StatusError(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details === undefined ? {} : { details }),
      code,
    },
    options,
  );
}

const about = (resource: QualifiedResource, name: string): StatusDetails => ({
  ...(name === '' ? {} : { name }),
  ...(resource.group === '' ? {} : { group: resource.group }),
  kind: resource.plural,
});

export const notFound = (resource: QualifiedResource, name: string): StatusError =>
  failure(404, 'NotFound', `${qualified(resource)} "${name}" not found`, about(resource, name));

export const alreadyExists = (resource: QualifiedResource, name: string): StatusError =>
  failure(
    409,
    'AlreadyExists',
    `${qualified(resource)} "${name}" already exists`,
    about(resource, name),
  );

/** Every name that was made of `generateName` is taken. */
export const generateNameConflict = (resource: QualifiedResource, name: string): StatusError =>
  failure(
    409,
    'AlreadyExists',
    `${qualified(resource)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    { ...about(resource, name), retryAfterSeconds: 1 },
  );

export const conflict = (resource: QualifiedResource, name: string, detail: string): StatusError =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${detail}`,
    about(resource, name),
  );

/** The detail of a conflict on a stale resourceVersion. */
export const modified =
  'the object has been modified; please apply your changes to the latest version and try again';

export const forbidden = (resource: QualifiedResource, name: string, detail: string): StatusError =>
  failure(
    403,
    'Forbidden',
    name === ''
      ? `${qualified(resource)} is forbidden: ${detail}`
      : `${qualified(resource)} "${name}" is forbidden: ${detail}`,
    about(resource, name),
  );

export const badRequest = (message: string): StatusError => failure(400, 'BadRequest', message);

export const unauthorized = (): StatusError => failure(401, 'Unauthorized', 'Unauthorized');

/** Nothing is served by this path. */
export const noSuchResource = (): StatusError =>
  failure(404, 'NotFound', 'the server could not find the requested resource', {});

/** The path is served, but not for this method. */
export const methodNotAllowed = (): StatusError =>
  failure(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );

export const unsupportedMediaType = (supported: readonly string[]): StatusError =>
  failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')}`,
  );

export const notAcceptable = (supported: readonly string[]): StatusError =>
  failure(
    406,
    'NotAcceptable',
    `only the following media types are accepted: ${supported.join(', ')}`,
  );

export const requestTooLarge = (limitBytes: number): StatusError =>
  failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`);

/** The reason is Kubernetes' own for what is too large; the code is HTTP's. */
export const requestHeadTooLarge = (limitBytes: number): StatusError =>
  failure(
    431,
    'RequestEntityTooLarge',
    `Request header fields too large: the URL and headers may have ${limitBytes} bytes`,
  );

export const tooManyValues = (limit: number): StatusError =>
  failure(
    413,
    'RequestEntityTooLarge',
    `Request entity too large: limit is ${limit} fields and list items`,
  );

/** The resourceVersion or continue token is older than what is kept. */
export const expired = (message: string): StatusError => failure(410, 'Expired', message);

export const tooManyRequests = (message: string, retryAfterSeconds: number): StatusError =>
  failure(429, 'TooManyRequests', message, { retryAfterSeconds });

export const serviceUnavailable = (message: string): StatusError =>
  failure(503, 'ServiceUnavailable', message);

/** A 500. What went wrong stays in `cause`, for the log. */
export const internalError = (message: string, cause?: unknown): StatusError =>
  failure(
    500,
    'InternalError',
    `Internal error occurred: ${message}`,
    { causes: [{ message }] },
    cause === undefined ? undefined : { cause },
  );

/** 422: all field errors at once, as `kubectl` prints them; of very many the first. */
export function invalidObject(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): StatusError {
  const { shown, more } = shownErrors(errors);
  const texts = shown.map(each => `${each.field}: ${each.message}`);
  if (more !== undefined) texts.push(more);
  const summary = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  const qualifiedKind = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  return failure(422, 'Invalid', `${qualifiedKind} "${name}" is invalid: ${summary}`, {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    ...(kind.kind === '' ? {} : { kind: kind.kind }),
    causes: shown.map(each => ({
      reason: each.type,
      message: each.message,
      field: each.field,
    })),
  });
}

/**
 * How long a request's head may be, in bytes: arguments of `kubectl exec` are in the URL. Kubernetes takes 1 MiB; each
 * connection may hold as much, and there may be thousands.
 */
export const maxRequestHeadBytes = 256 * 1024;

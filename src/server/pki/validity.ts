import type { X509Certificate } from 'node:crypto';

/** How long a kind of certificate lasts, and when it is renewed. */
export interface Lifetime {
  readonly lengthMs: number;
  /** How long before its end it is renewed. */
  readonly renewBeforeMs: number;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const dayMs = 24 * 3600_000;

export const caLifetime: Lifetime = { lengthMs: 3650 * dayMs, renewBeforeMs: 730 * dayMs };
/** Copies of a kubeconfig are not renewed: each lasts for at least `renewBeforeMs`. */
export const certificateLifetime: Lifetime = { lengthMs: 365 * dayMs, renewBeforeMs: 90 * dayMs };

/** How far clocks may disagree, or be set back, without a certificate being "not valid yet". */
const clockMarginMs = 30 * dayMs;

export const caValidity = (nowMs: number): Validity => ({
  notBefore: new Date(nowMs - clockMarginMs),
  notAfter: new Date(nowMs + caLifetime.lengthMs),
});

/** Begins with its CA, as kubeadm's certificates do. */
export const certificateValidity = (ca: X509Certificate, nowMs: number): Validity => ({
  notBefore: new Date(ca.validFrom),
  notAfter: new Date(nowMs + certificateLifetime.lengthMs),
});

/** Whether a certificate has to be replaced, and why. */
export type ValidityProblem = 'not valid yet' | 'expiring' | 'valid for too long';

/** Checks both ends, and that no fast clock gave it a longer life than it may have. */
export function validityProblem(
  certificate: X509Certificate,
  { lengthMs, renewBeforeMs }: Lifetime,
  nowMs: number,
): ValidityProblem | undefined {
  const endsAtMs = Date.parse(certificate.validTo);
  if (nowMs < Date.parse(certificate.validFrom)) return 'not valid yet';
  if (nowMs >= endsAtMs - renewBeforeMs) return 'expiring';
  if (endsAtMs > nowMs + lengthMs + clockMarginMs) return 'valid for too long';
  return undefined;
}

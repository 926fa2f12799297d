import { randomInt } from 'node:crypto';

// No vowels and no look-alikes, so that no words come out: Kubernetes' own alphabet.
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

export const randomSuffix = (length = 5): string =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');

/** @param base `metadata.generateName`; cut so that the name stays within 63 characters */
export const generateName = (base: string, suffix: string): string =>
  `${base.slice(0, 63 - suffix.length)}${suffix}`;

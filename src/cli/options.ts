import { InvalidArgumentError, Option } from 'commander';
import { createVerificationPolicy } from '../node/images/verification-policy.ts';
import { defaultDataDir } from './instance.ts';

export const dataDirOption = (): Option =>
  new Option('--data-dir <folder>', 'where everything is kept')
    .default(defaultDataDir)
    .env('KEYLET_DATA_DIR');

export function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new InvalidArgumentError('expected a port number between 0 and 65535.');
  }
  return value;
}

/** Repositories, or all below a path (`quay.io/team/*`), with commas between. */
export function allowlist(text: string): readonly string[] {
  const patterns = text.split(',');
  try {
    createVerificationPolicy('NeverVerifyAllowlistedImages', patterns);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
  return patterns;
}

/** Go's duration notation, as KubeletConfiguration has it: `90s`, `1m30s`, `500ms`. @returns milliseconds */
export function duration(text: string): number {
  const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== text) {
    throw new InvalidArgumentError('expected a duration such as 500ms, 90s or 1m30s.');
  }
  return parts.reduce((sum, [, value, unit]) => sum + Number(value) * (unitMs[unit ?? ''] ?? 0), 0);
}

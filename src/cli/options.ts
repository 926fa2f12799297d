import { statSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { maxTimerMs } from '../machinery/loop.ts';
import { dns1123Subdomain } from '../machinery/validation/names.ts';
import type { PodSecurityConfiguration } from '../server/admission/pod-security/configuration.ts';
import { createVerificationPolicy } from '../node/images/verification-policy.ts';
import { readAdmissionConfig } from './admission-config.ts';
import { defaultDataDir } from './instance.ts';
import { UserError } from './user-error.ts';

export const dataDirOption = (): Option =>
  new Option('--data-dir <folder>', 'where everything is kept')
    .default(defaultDataDir)
    .env('KEYLET_DATA_DIR')
    .argParser(dataDir);

function dataDir(text: string): string {
  if (text === '') throw new InvalidArgumentError('expected a folder.');
  refuseUnprintable('--data-dir', text);
  if (isNoFolder(text)) throw new InvalidArgumentError('it is a file; expected a folder.');
  return path.resolve(text);
}

/** What cannot be looked at is told by whoever opens it. */
function isNoFolder(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch {
    return false;
  }
}

export function existingFolder(text: string): string {
  const is = statSync(text, { throwIfNoEntry: false });
  if (is?.isDirectory() !== true) throw new InvalidArgumentError('there is no such folder.');
  return path.resolve(text);
}

/** A path goes into files, logs and other programs' output that have a line for it. */
function refuseUnprintable(option: string, text: string): void {
  // Node has put U+FFFD where the name is not UTF-8: another folder would be meant.
  if (/[\p{Cc}\u2028\u2029\ufffd]/u.test(text))
    throw new UserError(
      `${option} ${JSON.stringify(text)}: line breaks, control characters and names that are not UTF-8 are not supported. Choose another folder`,
    );
}

export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('expected a port number between 0 and 65535.');
  }
  return Number(text);
}

/** Of requests at a time; 0 for no limit. */
export function inflightLimit(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new InvalidArgumentError('expected a whole number of requests, or 0 for no limit.');
  return Number(text);
}

export function seconds(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a number of seconds.');
  return Number(text);
}

export function address(text: string): string {
  if (isIP(text) === 0) {
    throw new InvalidArgumentError(
      'expected an IP address, such as 127.0.0.1, or 0.0.0.0 for all.',
    );
  }
  return text;
}

export function nodeName(text: string): string {
  const [fault] = dns1123Subdomain(text);
  if (fault !== undefined) throw new InvalidArgumentError(`${fault}.`);
  return text;
}

/** The pods of one node get a /24, as kube-controller-manager gives them. */
export function podCidr(text: string): string {
  const [network = '', bits] = text.split('/');
  if (isIP(network) !== 4 || bits !== '24' || !network.endsWith('.0')) {
    throw new InvalidArgumentError('expected an IPv4 network of 24 bits, such as 10.42.7.0/24.');
  }
  return text;
}

export function admissionConfig(file: string): PodSecurityConfiguration {
  try {
    return readAdmissionConfig(file);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
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
  const unitMs = new Map([
    ['ms', 1],
    ['s', 1000],
    ['m', 60_000],
    ['h', 3_600_000],
  ]);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== text) {
    throw new InvalidArgumentError('expected a duration such as 500ms, 90s or 1m30s.');
  }
  return parts.reduce(
    (sum, [, value, unit]) => sum + Number(value) * (unitMs.get(unit ?? '') ?? 0),
    0,
  );
}

/** How often something is done: what a timer can count. */
export function interval(text: string): number {
  const ms = duration(text);
  if (ms < 100 || ms > maxTimerMs)
    throw new InvalidArgumentError('expected a duration between 100ms and 596h.');
  return ms;
}

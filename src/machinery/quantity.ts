/** resource.Quantity: a decimal number with a suffix. Values are kept exact, in nano-units. */
const binary = new Map<string, bigint>([
  ['Ki', 2n ** 10n],
  ['Mi', 2n ** 20n],
  ['Gi', 2n ** 30n],
  ['Ti', 2n ** 40n],
  ['Pi', 2n ** 50n],
  ['Ei', 2n ** 60n],
]);
const decimalExponents = new Map<string, number>([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);

/** No quantity is greater than an int64 can hold: what is written greater counts as this. */
const maxUnits = 2n ** 63n - 1n;
const nanoDigits = 9;
const maxNano = maxUnits * 10n ** BigInt(nanoDigits);
/** 2^63-1 has no more. */
const maxUnitDigits = 19;

const number = /([+-]?)(\d*)(?:\.(\d*))?/y;
const suffixForm = /^[eEinumkKMGTP]*[-+]?\d*$/;
const exponentForm = /^[eE]([+-]?\d+)$/;

const formatError =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffixError = "unable to parse quantity's suffix";

interface Parts {
  readonly negative: boolean;
  readonly whole: string;
  readonly fraction: string;
  readonly suffix: string;
}

function partsOf(value: string | number): Parts | undefined {
  const text = String(value).trim();
  number.lastIndex = 0;
  const [matched = '', sign, whole = '', fraction = ''] = number.exec(text) ?? [];
  const suffix = text.slice(matched.length);
  if (whole === '' && fraction === '') return undefined;
  return suffixForm.test(suffix) ? { negative: sign === '-', whole, fraction, suffix } : undefined;
}

/** @returns undefined where the suffix is none, or its exponent more than an int64 holds */
function exponentOf(suffix: string): number | undefined {
  const exponent = decimalExponents.get(suffix) ?? Number(exponentForm.exec(suffix)?.[1] ?? 'none');
  return Math.abs(exponent) < 2 ** 63 ? exponent : undefined;
}

/** How nearly all are written. */
const plainForm = /^\d{1,15}(?:m|k|Ki|[MGTPE]i?)?$/;

/** Why a value is no quantity, in the words of Kubernetes' ParseQuantity; undefined where it is one. */
export function quantityError(value: string | number): string | undefined {
  if (plainForm.test(String(value))) return undefined;
  const parts = partsOf(value);
  if (parts === undefined) return formatError;
  const known = binary.has(parts.suffix) || exponentOf(parts.suffix) !== undefined;
  return known ? undefined : suffixError;
}

/**
 * @returns the value × 10⁹, rounded up as Kubernetes rounds and within ±(2⁶³-1) × 10⁹; 0 for what is no
 * quantity, which decoding refuses
 */
export function parseQuantity(value: string | number): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value) * 1_000_000_000n;
  const parts = partsOf(value);
  if (parts === undefined) return 0n;
  const { negative, whole, fraction, suffix } = parts;
  const multiplier = binary.get(suffix);
  const exponent = multiplier === undefined ? exponentOf(suffix) : 0;
  if (exponent === undefined) return 0n;
  const nano = nanoOf(whole, fraction, exponent, multiplier ?? 1n);
  return negative ? -nano : nano;
}

/** Works on the digits that count: the number may have millions of them, and as large an exponent. */
function nanoOf(whole: string, fraction: string, exponent: number, multiplier: bigint): bigint {
  const digits = `${whole}${fraction}`;
  const first = digits.search(/[1-9]/);
  if (first < 0) return 0n;
  const wholeDigits = whole.length + exponent - first;
  if (wholeDigits > maxUnitDigits) return maxNano;
  // However small, what is asked for is not nothing.
  if (wholeDigits < -maxSignificantDigits) return 1n;
  const significant = significantDigits(digits.slice(first));
  const places = wholeDigits + nanoDigits - significant.length;
  const nano = shift(BigInt(significant) * multiplier, places);
  return nano > maxNano ? maxNano : nano;
}

/** More than it takes to tell a value from the next nano-unit, whatever its suffix. */
const maxSignificantDigits = 80;

/** Of what is cut off, one digit says that there was something to round up. */
function significantDigits(digits: string): string {
  const kept = digits.slice(0, maxSignificantDigits);
  return /[1-9]/.test(digits.slice(maxSignificantDigits)) ? `${kept}1` : kept;
}

/** Times a power of ten, rounded up. */
function shift(value: bigint, places: number): bigint {
  if (places >= 0) return value * 10n ** BigInt(places);
  const divisor = 10n ** BigInt(-places);
  return (value + divisor - 1n) / divisor;
}

/** Whole units, rounded up: bytes of memory. */
export const quantityUnits = (value: string | number): number =>
  Number((parseQuantity(value) + 999_999_999n) / 1_000_000_000n);

/** Thousandths, rounded up: milli-CPUs. */
export const quantityMilli = (value: string | number): number =>
  Number((parseQuantity(value) + 999_999n) / 1_000_000n);

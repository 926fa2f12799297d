/** resource.Quantity: a decimal number with a suffix. Values are kept exact, in nano-units. */
const binary: ReadonlyMap<string, bigint> = new Map([
  ['Ki', 2n ** 10n],
  ['Mi', 2n ** 20n],
  ['Gi', 2n ** 30n],
  ['Ti', 2n ** 40n],
  ['Pi', 2n ** 50n],
  ['Ei', 2n ** 60n],
]);
const decimalExponent: ReadonlyMap<string, number> = new Map([
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
const form = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]?))$/;

export const quantityErrorText =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** @returns the value × 10⁹, rounded up as Kubernetes rounds; undefined when it is no quantity */
export function parseQuantity(value: string | number): bigint | undefined {
  const match = form.exec(String(value));
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponentText, suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const multiplier = binary.get(suffix);
  const exponent =
    exponentText === undefined ? (decimalExponent.get(suffix) ?? 0) : Number(exponentText.slice(1));
  const digits = BigInt(`${whole}${fraction}`);
  const nano = scale(
    digits * (multiplier ?? 1n),
    9 - fraction.length + (multiplier === undefined ? exponent : 0),
  );
  return sign === '-' ? -nano : nano;
}

function scale(value: bigint, exponent: number): bigint {
  if (exponent >= 0) return value * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return (value + divisor - 1n) / divisor;
}

/** Whole units, rounded up: bytes of memory. */
export const quantityUnits = (value: string | number): number =>
  Number(((parseQuantity(value) ?? 0n) + 999_999_999n) / 1_000_000_000n);

/** Thousandths, rounded up: milli-CPUs. */
export const quantityMilli = (value: string | number): number =>
  Number(((parseQuantity(value) ?? 0n) + 999_999n) / 1_000_000n);

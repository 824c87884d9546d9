/**
 * Quantities (`500m`, `1Gi`, `2e3`) exactly as upstream's apimachinery pkg/api/resource: integers of nano units, no doubles.
 * What a client wrote is kept where upstream keeps it (`reuse`), and written canonically otherwise.
 */
export type Format = "DecimalSI" | "BinarySI" | "DecimalExponent";
/** `nanos` is the amount times 10^9; finer parts were rounded up, away from zero. */
export type Quantity = { readonly nanos: bigint; readonly format: Format; readonly text?: string };

export class QuantityError extends Error {
  override name = "QuantityError";
}
const formatWrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffixWrong = "unable to parse quantity's suffix";
const numericWrong = "unable to parse numeric part of quantity";
/** Longer than any sensible number; keeps big-integer work bounded. */
const lengthMax = 256;
/** Exponents beyond this carry no meaning for resources, and would make numbers of any size. */
const exponentMax = 64;

const decimal: readonly (readonly [string, number])[] = [["n", -9], ["u", -6], ["m", -3], ["", 0], ["k", 3], ["M", 6], ["G", 9], ["T", 12], ["P", 15], ["E", 18]];
const binary: readonly (readonly [string, number])[] = [["Ki", 10], ["Mi", 20], ["Gi", 30], ["Ti", 40], ["Pi", 50], ["Ei", 60]];
type Unit = { readonly format: Format; readonly exponent: number };
const suffixes = new Map<string, Unit>([
  ...decimal.map(([suffix, exponent]) => [suffix, { format: "DecimalSI", exponent }] as const),
  ...binary.map(([suffix, exponent]) => [suffix, { format: "BinarySI", exponent }] as const),
]);
const decimalSuffix = new Map(decimal.map(([suffix, exponent]) => [exponent, suffix]));
const int64Max = 2n ** 63n - 1n;
const billion = 1_000_000_000n;

const isDigit = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
};

export function parseQuantity(text: string): Quantity {
  if (text === "" || text.length > lengthMax) throw new QuantityError(formatWrong);
  let at = 0;
  const negative = text[0] === "-";
  if (negative || text[0] === "+") at++;
  while (text[at] === "0") at++;
  const whole = digitsFrom(text, at);
  at += whole.length;
  let fraction = "";
  if (text[at] === ".") {
    fraction = digitsFrom(text, ++at);
    at += fraction.length;
  }
  const suffix = text.slice(at);
  if (!/^[eEinumkKMGTP]*[-+]?[0-9]*$/.test(suffix)) throw new QuantityError(formatWrong);
  // Upstream reads a text without any digit as zero only where zeros or nothing at all stood before the suffix.
  const number = whole === "" ? "0" : whole;
  const unit = suffixes.get(suffix) ?? exponentOf(suffix);
  if (!unit) throw new QuantityError(suffixWrong);
  if (!/[0-9]/.test(text.slice(0, at)) && (negative || text[0] === "+" || text.includes("."))) throw new QuantityError(numericWrong);

  let nanos = scaled(BigInt(number + fraction), unit.format === "BinarySI" ? 0 : unit.exponent, fraction.length, unit.format === "BinarySI" ? unit.exponent : 0);
  let format = unit.format;
  if (format === "BinarySI") {
    if (nanos > int64Max * billion) nanos = int64Max * billion;
    if (nanos > 0n && nanos < billion) format = "DecimalSI";
  }
  const signed = negative ? -nanos : nanos;
  return reuses(number, fraction, unit) ? { nanos: signed, format, text } : { nanos: signed, format };
}

function digitsFrom(text: string, from: number): string {
  let to = from;
  while (to < text.length && isDigit(text, to)) to++;
  return text.slice(from, to);
}
function exponentOf(suffix: string): Unit | undefined {
  if (!/^[eE][-+]?[0-9]+$/.test(suffix)) return undefined;
  const exponent = Number(suffix.slice(1));
  if (Math.abs(exponent) > exponentMax) throw new QuantityError(suffixWrong);
  return { format: "DecimalExponent", exponent };
}
/** `digits` × 10^exponent × 2^shift ÷ 10^places, in nano units rounded up. */
function scaled(digits: bigint, exponent: number, places: number, shift: number): bigint {
  const power = exponent - places + 9;
  const wide = digits << BigInt(shift);
  if (power >= 0) return wide * 10n ** BigInt(power);
  const divisor = 10n ** BigInt(-power);
  return (wide + divisor - 1n) / divisor;
}
/** Whether upstream's fast path keeps the text as it came (ParseQuantity: "if the number is in canonical form, reuse the string"). */
function reuses(whole: string, fraction: string, unit: Unit): boolean {
  const scale = fastScale(whole, fraction, unit);
  if (scale === undefined) return false;
  if (unit.format === "BinarySI") return unit.exponent % 10 === 0 && (Number(whole) & 7) !== 0;
  const shifted = whole + fraction;
  return scale % 3 === 0 && !shifted.endsWith("000") && shifted[0] !== "0";
}
/** The power of ten that upstream's fast path counts in; `undefined` for what it leaves to long decimals. */
function fastScale(whole: string, fraction: string, unit: Unit): number | undefined {
  if (unit.format === "BinarySI") return fraction !== "" || 15 - whole.length - Math.trunc((unit.exponent * 3) / 10) - 1 < 0 ? undefined : 0;
  const scale = unit.exponent - fraction.length;
  return 18 - whole.length - fraction.length >= 0 && scale >= -9 ? scale : undefined;
}
/** `fastScale` of a quantity's text: what is below zero or has none is no integer to upstream, whatever its value (Quantity.AsInt64). */
export function scaleOf(text: string): number | undefined {
  const [, whole = "", fraction = "", suffix = ""] = /^[+-]?0*(\d*)\.?(\d*)(.*)$/s.exec(text) ?? [];
  return text === "0" ? 0 : fastScale(whole === "" ? "0" : whole, fraction, suffixes.get(suffix) ?? exponentOf(suffix)!);
}

/** As upstream writes it. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  if (quantity.nanos === 0n) return "0";
  const kilo = 1024n * billion;
  if (quantity.format === "BinarySI" && (quantity.nanos <= -kilo || quantity.nanos >= kilo) && quantity.nanos % billion === 0n) {
    let [amount, times] = [quantity.nanos / billion, 0];
    for (; times < binary.length && amount % 1024n === 0n; times++) amount /= 1024n;
    return `${amount}${times === 0 ? "" : binary[times - 1]![0]}`;
  }
  let [amount, exponent] = [quantity.nanos, -9];
  while (amount % 10n === 0n) [amount, exponent] = [amount / 10n, exponent + 1];
  while (exponent % 3 !== 0) [amount, exponent] = [amount * 10n, exponent - 1];
  if (quantity.format === "DecimalExponent") return exponent === 0 ? `${amount}` : `${amount}e${exponent}`;
  for (; exponent > 18; exponent -= 3) amount *= 1000n;
  return `${amount}${decimalSuffix.get(exponent)!}`;
}

/** What is stored of what a client wrote. JSON numbers are read by their text. */
export function canonicalQuantity(value: string | number | bigint): string {
  const text = typeof value === "string" ? value.trim() : String(value);
  if (plain(text)) return text;
  return formatQuantity(parseQuantity(text));
}
/** The common shapes that upstream keeps as they are, told without big integers: `100m`, `2`, `64Mi`, `1500m`. */
function plain(text: string): boolean {
  let at = 0;
  let value = 0;
  while (at < text.length && at < 9 && isDigit(text, at)) value = value * 10 + text.charCodeAt(at++) - 48;
  if (at === 0 || text[0] === "0") return text === "0";
  const rest = text.length - at;
  if (rest === 0 || (rest === 1 && (text[at] === "m" || text[at] === "k" || text[at] === "M" || text[at] === "G"))) return value % 1000 !== 0;
  return rest === 2 && text[at + 1] === "i" && (text[at] === "K" || text[at] === "M" || text[at] === "G") && value % 1024 !== 0 && at <= 5;
}

/** Thousandths of the common shapes, told without big integers: up to nine digits, and `m`, nothing, or a unit up to giga. */
function shortMilli(text: string | Quantity): number | undefined {
  if (typeof text !== "string") return undefined;
  let at = 0;
  let value = 0;
  while (at < text.length && at < 9 && isDigit(text, at)) value = value * 10 + text.charCodeAt(at++) - 48;
  if (at === 0) return undefined;
  switch (text.length - at) {
    case 0: return value * 1000;
    case 1: return text[at] === "m" ? value : scaledMilli(value, 1000, text[at]!);
    case 2: return text[at + 1] === "i" && text[at] !== "k" ? scaledMilli(value, 1024, text[at] === "K" ? "k" : text[at]!) : undefined;
    default: return undefined;
  }
}
function scaledMilli(value: number, step: number, unit: string): number | undefined {
  const steps = unit === "k" ? 1 : unit === "M" ? 2 : unit === "G" ? 3 : 0;
  const milli = value * step ** steps * 1000;
  return steps > 0 && milli <= Number.MAX_SAFE_INTEGER ? milli : undefined;
}

const read = (quantity: string | Quantity): Quantity => (typeof quantity === "string" ? parseQuantity(quantity) : quantity);
/** Negative, zero or positive, as `a` is less than, equal to or more than `b`. */
export function compareQuantities(a: string | Quantity, b: string | Quantity): number {
  const [left, right] = [shortMilli(a), shortMilli(b)];
  if (left !== undefined && right !== undefined) return left - right;
  const difference = read(a).nanos - read(b).nanos;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
/** Negative, zero or positive, as the amount is. */
export function quantitySign(quantity: string | Quantity): number {
  return compareQuantities(quantity, "0");
}
/** The sum, in `a`'s notation, or in `b`'s when `a` is zero. */
export function addQuantities(a: string | Quantity, b: string | Quantity): Quantity {
  const [left, right] = [read(a), read(b)];
  return { nanos: left.nanos + right.nanos, format: left.nanos === 0n ? right.format : left.format };
}
/** The difference, in `a`'s notation, or in `b`'s when `a` is zero. */
export function subtractQuantities(a: string | Quantity, b: string | Quantity): Quantity {
  const right = read(b);
  return addQuantities(a, { nanos: -right.nanos, format: right.format });
}
const roundedUp = (nanos: bigint, unit: bigint): bigint => nanos / unit + (nanos % unit === 0n ? 0n : nanos < 0n ? -1n : 1n);
/** Whole units, rounded away from zero: upstream's `Value()`. A number: exact up to 2^53. */
export function quantityValue(quantity: string | Quantity): number {
  const milli = shortMilli(quantity);
  return milli === undefined ? Number(roundedUp(read(quantity).nanos, billion)) : Math.ceil(milli / 1000);
}
/** Thousandths, rounded away from zero: upstream's `MilliValue()`. A number: exact up to 2^53. */
export function quantityMilli(quantity: string | Quantity): number {
  return shortMilli(quantity) ?? Number(roundedUp(read(quantity).nanos, 1_000_000n));
}
export function quantityOf(value: number | bigint, format: Format = "DecimalSI"): Quantity {
  return { nanos: BigInt(value) * billion, format };
}
export function quantityOfMilli(milli: number | bigint, format: Format = "DecimalSI"): Quantity {
  return { nanos: BigInt(milli) * 1_000_000n, format };
}

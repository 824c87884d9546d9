/** Quantities and semantic versions (apiserver pkg/cel/library/quantity.go, semverlib.go). */
import { type Quantity, addQuantities, compareQuantities, parseQuantity, QuantityError, quantityOf, scaleOf, subtractQuantities } from "../../../base/quantity.ts";
import { goQuote } from "../../problem.ts";
import { CelError } from "../error.ts";
import { type Library, type Overload, global, member, traversal } from "../functions.ts";
import { opaque, types } from "../types.ts";
import { Opaque, type Value, intMax, intMin, sizeOf, uintMax } from "../values.ts";

const { bool, int, double, string } = types;
const quantityType = opaque("kubernetes.Quantity"), semverType = opaque("kubernetes.Semver");

export class QuantityValue extends Opaque {
  override readonly typeName = "kubernetes.Quantity";
  readonly quantity: Quantity;
  /** `scaleOf` what was written. */
  readonly scale: number | undefined;
  constructor(quantity: Quantity, scale: number | undefined) {
    super();
    this.quantity = quantity;
    this.scale = scale;
  }
  equals(other: Opaque): boolean {
    return other instanceof QuantityValue && other.quantity.nanos === this.quantity.nanos;
  }
}
function parsed(text: string): Quantity | QuantityError {
  try {
    return parseQuantity(text);
  } catch (error) {
    if (error instanceof QuantityError) return error;
    throw error;
  }
}
function quantityFrom(text: Value | undefined): QuantityValue {
  const quantity = parsed(text as string);
  if (quantity instanceof QuantityError) throw new CelError(quantity.message);
  return new QuantityValue(quantity, scaleOf(text as string));
}
/** The finer of two scales; nothing is as fine as the other. */
function sumOf(a: QuantityValue, b: QuantityValue, sign: 1 | -1): QuantityValue {
  const sum = sign === 1 ? addQuantities(a.quantity, b.quantity) : subtractQuantities(a.quantity, b.quantity);
  if (a.scale === undefined || b.scale === undefined) return new QuantityValue(sum, undefined);
  return new QuantityValue(sum, a.quantity.nanos === 0n ? b.scale : b.quantity.nanos === 0n ? a.scale : Math.min(a.scale, b.scale));
}
const counted = (value: Value | undefined): QuantityValue => new QuantityValue(quantityOf(value as bigint), 0);
const of = (value: Value | undefined): Quantity => (value as QuantityValue).quantity;
const billion = 1_000_000_000n;
const isWhole = ({ quantity: { nanos }, scale }: QuantityValue): boolean => scale !== undefined && scale >= 0 && nanos % billion === 0n && nanos / billion <= intMax && nanos / billion >= intMin;
const once: Overload["cost"] = ([text]) => traversal(sizeOf(text!));

export class SemverValue extends Opaque {
  override readonly typeName = "kubernetes.Semver";
  readonly version: Semver;
  constructor(version: Semver) {
    super();
    this.version = version;
  }
  equals(other: Opaque): boolean {
    return other instanceof SemverValue && compareVersions(this.version, other.version) === 0;
  }
}
type Semver = { readonly major: bigint; readonly minor: bigint; readonly patch: bigint; readonly pre: readonly string[] };

/** semver.org's grammar, as blang/semver reads it and says what is wrong; normalising adds what is missing and drops a leading v and zeros. */
function parseSemver(text: string, normalise: boolean): Semver {
  const wrong = (problem: string): never => { throw new CelError(problem); };
  let numbers = inThree(normalise ? text.replace(/^v/, "") : text);
  if (normalise) {
    if (numbers.length < 3 && /[+-]/.test(numbers.at(-1)!)) wrong("short version cannot contain PreRelease/Build meta data");
    numbers = [...numbers.map(part => part.replace(/^0+(?=\d)/, "").replace(/^0+(?!$|\d)/, "0")), "0", "0"].slice(0, 3);
  } else if (text === "") wrong("Version string empty");
  if (numbers.length < 3) wrong("No Major.Minor.Patch elements found");
  const [, last = "", dash, pre = "", plus, build = ""] = /^([^+-]*)(?:(-)([^+]*))?(?:(\+)(.*))?$/s.exec(numbers[2]!) ?? [];
  const number = (part: string, name: string): bigint => {
    if (/[^0-9]/.test(part)) wrong(`Invalid character(s) found in ${name} number ${goQuote(part)}`);
    if (/^0./s.test(part)) wrong(`${name[0]!.toUpperCase()}${name.slice(1)} number must not contain leading zeroes ${goQuote(part)}`);
    if (part === "" || part.length > 20 || BigInt(part) > uintMax) wrong(`strconv.ParseUint: parsing ${goQuote(part)}: ${part === "" ? "invalid syntax" : "value out of range"}`);
    return BigInt(part);
  };
  const version = { major: number(numbers[0]!, "major"), minor: number(numbers[1]!, "minor"), patch: number(last, "patch"), pre: dash === undefined ? [] : pre.split(".") };
  for (const part of version.pre) {
    if (part === "") wrong("Prerelease is empty");
    if (/^0\d+$/.test(part)) wrong(`Numeric PreRelease version must not contain leading zeroes ${goQuote(part)}`);
    if (/[^0-9A-Za-z-]/.test(part)) wrong(`Invalid character(s) found in prerelease ${goQuote(part)}`);
  }
  for (const part of plus === undefined ? [] : build.split(".")) {
    if (part === "") wrong("Build meta data is empty");
    if (/[^0-9A-Za-z-]/.test(part)) wrong(`Invalid character(s) found in build meta data ${goQuote(part)}`);
  }
  return version;
}
/** At the first two dots. */
function inThree(text: string): readonly string[] {
  const [major = "", minor, ...patch] = text.split(".");
  return [major, ...(minor === undefined ? [] : [minor]), ...(patch.length === 0 ? [] : [patch.join(".")])];
}
function isSemver(text: Value | undefined, normalise: boolean): boolean {
  try {
    parseSemver(text as string, normalise);
    return true;
  } catch (error) {
    if (error instanceof CelError) return false;
    throw error;
  }
}
function compareVersions(a: Semver, b: Semver): number {
  for (const part of ["major", "minor", "patch"] as const) if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1;
  if (a.pre.length === 0 || b.pre.length === 0) return a.pre.length === b.pre.length ? 0 : a.pre.length === 0 ? 1 : -1;
  for (let i = 0; i < a.pre.length && i < b.pre.length; i++) {
    const x = a.pre[i]!, y = b.pre[i]!, xNumber = /^\d+$/.test(x), yNumber = /^\d+$/.test(y);
    if (x === y) continue;
    if (xNumber && yNumber) return BigInt(x) < BigInt(y) ? -1 : 1;
    return xNumber !== yNumber ? (xNumber ? -1 : 1) : x < y ? -1 : 1;
  }
  return Math.sign(a.pre.length - b.pre.length);
}
const version = (value: Value | undefined): Semver => (value as SemverValue).version;

export const quantityLibrary: Library = new Map<string, readonly Overload[]>([
  ["quantity", [global("string_to_quantity", [string], quantityType, ([text]) => quantityFrom(text), once)]],
  ["isQuantity", [global("is_quantity_string", [string], bool, ([text]) => !(parsed(text as string) instanceof QuantityError), once)]],
  ["sign", [global("quantity_sign", [quantityType], int, ([value]) => sign(of(value)))]],
  ["asApproximateFloat", [member("quantity_get_float", [quantityType], double, ([value]) => Number(of(value).nanos) / 1e9)]],
  ["asInteger", [member("quantity_get_int", [quantityType], int, ([value]) => {
    if (!isWhole(value as QuantityValue)) throw new CelError("cannot convert value to integer");
    return of(value).nanos / billion;
  })]],
  ["isInteger", [member("quantity_is_integer", [quantityType], bool, ([value]) => isWhole(value as QuantityValue))]],
  ["add", [
    member("quantity_add", [quantityType, quantityType], quantityType, ([a, b]) => sumOf(a as QuantityValue, b as QuantityValue, 1)),
    member("quantity_add_int", [quantityType, int], quantityType, ([a, b]) => sumOf(a as QuantityValue, counted(b), 1)),
  ]],
  ["sub", [
    member("quantity_sub", [quantityType, quantityType], quantityType, ([a, b]) => sumOf(a as QuantityValue, b as QuantityValue, -1)),
    member("quantity_sub_int", [quantityType, int], quantityType, ([a, b]) => sumOf(a as QuantityValue, counted(b), -1)),
  ]],
  ["isGreaterThan", [
    member("quantity_is_greater_than", [quantityType, quantityType], bool, ([a, b]) => compareQuantities(of(a), of(b)) > 0),
    member("semver_is_greater_than", [semverType, semverType], bool, ([a, b]) => compareVersions(version(a), version(b)) > 0),
  ]],
  ["isLessThan", [
    member("quantity_is_less_than", [quantityType, quantityType], bool, ([a, b]) => compareQuantities(of(a), of(b)) < 0),
    member("semver_is_less_than", [semverType, semverType], bool, ([a, b]) => compareVersions(version(a), version(b)) < 0),
  ]],
  ["compareTo", [
    member("quantity_compare_to", [quantityType, quantityType], int, ([a, b]) => BigInt(compareQuantities(of(a), of(b)))),
    member("semver_compare_to", [semverType, semverType], int, ([a, b]) => BigInt(compareVersions(version(a), version(b)))),
  ]],
  ["semver", [
    global("string_to_semver", [string], semverType, ([text]) => new SemverValue(parseSemver(text as string, false)), once), global("string_bool_to_semver", [string, bool], semverType, ([text, normalise]) => new SemverValue(parseSemver(text as string, normalise as boolean)), once),
  ]],
  ["isSemver", [
    global("is_semver_string", [string], bool, ([text]) => isSemver(text, false), once),
    global("is_semver_string_bool", [string, bool], bool, ([text, normalise]) => isSemver(text, normalise as boolean), once),
  ]],
  ...(["major", "minor", "patch"] as const).map((part): [string, readonly Overload[]] => [part, [member(`semver_${part}`, [semverType], int, ([value]) => version(value)[part])]]),
]);
function sign({ nanos }: Quantity): bigint {
  return nanos > 0n ? 1n : nanos < 0n ? -1n : 0n;
}

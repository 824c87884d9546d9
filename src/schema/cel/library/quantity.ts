/** Quantities and semantic versions (apiserver pkg/cel/library/quantity.go, semverlib.go). */
import { type Quantity, addQuantities, compareQuantities, parseQuantity, QuantityError, quantityOf, subtractQuantities } from "../../../base/quantity.ts";
import { CelError } from "../error.ts";
import { type Library, type Overload, global, member, traversal } from "../functions.ts";
import { opaque, types } from "../types.ts";
import { Opaque, type Value, intMax, intMin, sizeOf } from "../values.ts";

const { bool, int, double, string } = types;
const quantityType = opaque("kubernetes.Quantity"), semverType = opaque("kubernetes.Semver");

export class QuantityValue extends Opaque {
  override readonly typeName = "kubernetes.Quantity";
  readonly quantity: Quantity;
  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
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
  return new QuantityValue(quantity);
}
const of = (value: Value | undefined): Quantity => (value as QuantityValue).quantity;
const billion = 1_000_000_000n;
const isWhole = ({ nanos }: Quantity): boolean => nanos % billion === 0n && nanos / billion <= intMax && nanos / billion >= intMin;
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

const identifiers = /^[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*$/;
/** semver.org's grammar, as blang/semver reads it; normalising adds what is missing and drops a leading v and zeros. */
function parseSemver(text: string, normalise: boolean): Semver | undefined {
  let core = normalise ? text.replace(/^v/, "") : text, pre = "";
  const plus = core.indexOf("+"), build = plus < 0 ? undefined : core.slice(plus + 1);
  if (plus >= 0) core = core.slice(0, plus);
  const dash = core.indexOf("-");
  if (dash >= 0) { pre = core.slice(dash + 1); core = core.slice(0, dash); }
  let numbers = core.split(".");
  if (normalise) {
    if (numbers.length < 3 && (dash >= 0 || plus >= 0)) return undefined;
    numbers = [...numbers, "0", "0"].slice(0, Math.max(3, numbers.length)).map(number => number.replace(/^0+(?=\d)/, ""));
  }
  if (numbers.length !== 3 || !numbers.every(number => /^(0|[1-9]\d{0,19})$/.test(number))) return undefined;
  if ((build !== undefined && !identifiers.test(build)) || (dash >= 0 && !identifiers.test(pre))) return undefined;
  const parts = dash < 0 ? [] : pre.split(".");
  if (parts.some(part => /^0\d+$/.test(part))) return undefined;
  const [major, minor, patch] = numbers.map(BigInt) as [bigint, bigint, bigint];
  return { major, minor, patch, pre: parts };
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
function semverFrom(text: Value | undefined, normalise: boolean): SemverValue {
  const version = parseSemver(text as string, normalise);
  if (version === undefined) throw new CelError(`Invalid character(s) found in version ${JSON.stringify(text)}`);
  return new SemverValue(version);
}
const version = (value: Value | undefined): Semver => (value as SemverValue).version;

export const quantityLibrary: Library = new Map<string, readonly Overload[]>([
  ["quantity", [global("string_to_quantity", [string], quantityType, ([text]) => quantityFrom(text), once)]],
  ["isQuantity", [global("is_quantity_string", [string], bool, ([text]) => !(parsed(text as string) instanceof QuantityError), once)]],
  ["sign", [global("quantity_sign", [quantityType], int, ([value]) => sign(of(value)))]],
  ["asApproximateFloat", [member("quantity_get_float", [quantityType], double, ([value]) => Number(of(value).nanos) / 1e9)]],
  ["asInteger", [member("quantity_get_int", [quantityType], int, ([value]) => {
    if (!isWhole(of(value))) throw new CelError("cannot convert value to integer");
    return of(value).nanos / billion;
  })]],
  ["isInteger", [member("quantity_is_integer", [quantityType], bool, ([value]) => isWhole(of(value)))]],
  ["add", [
    member("quantity_add", [quantityType, quantityType], quantityType, ([a, b]) => new QuantityValue(addQuantities(of(a), of(b)))),
    member("quantity_add_int", [quantityType, int], quantityType, ([a, b]) => new QuantityValue(addQuantities(of(a), quantityOf(b as bigint)))),
  ]],
  ["sub", [
    member("quantity_sub", [quantityType, quantityType], quantityType, ([a, b]) => new QuantityValue(subtractQuantities(of(a), of(b)))),
    member("quantity_sub_int", [quantityType, int], quantityType, ([a, b]) => new QuantityValue(subtractQuantities(of(a), quantityOf(b as bigint)))),
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
    global("string_to_semver", [string], semverType, ([text]) => semverFrom(text, false), once), global("string_bool_to_semver", [string, bool], semverType, ([text, normalise]) => semverFrom(text, normalise as boolean), once),
  ]],
  ["isSemver", [
    global("is_semver_string", [string], bool, ([text]) => parseSemver(text as string, false) !== undefined, once),
    global("is_semver_string_bool", [string, bool], bool, ([text, normalise]) => parseSemver(text as string, normalise as boolean) !== undefined, once),
  ]],
  ...(["major", "minor", "patch"] as const).map((part): [string, readonly Overload[]] => [part, [member(`semver_${part}`, [semverType], int, ([value]) => version(value)[part])]]),
]);
function sign({ nanos }: Quantity): bigint {
  return nanos > 0n ? 1n : nanos < 0n ? -1n : 0n;
}

/** What numbers of custom resources may be (kube-openapi pkg/validation/validate/values.go). */

const int32Max = 2 ** 31 - 1;

/** A number that its type and format do not hold. `what`: which number of the schema or the object it is. */
export function rangeProblem(value: number | bigint, type: string, format: string, what: string, path: string): string | undefined {
  const fits = type === "integer" ? fitsWhole(value, format)
    : format === "float" ? Number.isFinite(Math.fround(Number(value))) : true;
  return fits ? undefined : `${what} value must be of type ${type} ${format === "" ? "(default format)" : `with format ${format}`} in ${path}`;
}

/** Quirk: a large number that is no exact integer is read by its shortest digits, so that the least one of 64 bits is none. */
function fitsWhole(value: number | bigint, format: string): boolean {
  if (typeof value === "number" && !Number.isInteger(value)) return false;
  if (format === "int32") return value >= -int32Max - 1 && value <= int32Max;
  if (typeof value === "number" && !Number.isSafeInteger(value)) return Math.abs(value) < 1e21 && fitsWhole(BigInt(String(value)), format);
  return value >= -(2n ** 63n) && value < 2n ** 63n;
}

/** Quirk: whole numbers are divided by the factor's whole part, which may be nothing. */
export function multipleProblem(value: number | bigint, factor: number, whole: boolean, path: string): { readonly detail: string; readonly value: unknown } | undefined {
  const by = whole ? Math.trunc(factor) : factor;
  if (by <= 0) return { detail: `factor MultipleOf declared for ${path} must be positive: ${by}`, value: by };
  const quotient = by < 1 ? (1 / by) * Number(value) : Number(value) / by;
  const divides = whole ? (typeof value === "bigint" ? value % BigInt(by) === 0n : value % by === 0) : Math.abs(quotient - Math.round(quotient)) <= 1e-9 * Math.abs(quotient);
  return divides ? undefined : { detail: `${path} in body should be a multiple of ${by}`, value };
}

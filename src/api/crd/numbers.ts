/** What numbers of custom resources may be (kube-openapi pkg/validation/validate/values.go). */

const int32Max = 2 ** 31 - 1;

/** A number that its type and format do not hold. `what`: which number of the schema or the object it is. */
export function rangeProblem(value: number | bigint, type: string, format: string, what: string, path: string): string | undefined {
  const whole = typeof value === "bigint" || Number.isInteger(value);
  const fits = type === "integer" ? whole && (format === "int32" ? value >= -int32Max - 1 && value <= int32Max : value >= -(2n ** 63n) && value < 2n ** 63n)
    : format === "float" ? Number.isFinite(Math.fround(Number(value))) : true;
  return fits ? undefined : `${what} value must be of type ${type} ${format === "" ? "(default format)" : `with format ${format}`} in ${path}`;
}

/** Quirk: whole numbers are divided by the factor's whole part, which may be nothing. */
export function multipleProblem(value: number | bigint, factor: number, whole: boolean, path: string): { readonly detail: string; readonly value: unknown } | undefined {
  const by = whole ? Math.trunc(factor) : factor;
  if (by <= 0) return { detail: `factor MultipleOf declared for ${path} must be positive: ${by}`, value: by };
  const quotient = by < 1 ? (1 / by) * Number(value) : Number(value) / by;
  const divides = whole ? (typeof value === "bigint" ? value % BigInt(by) === 0n : value % by === 0) : Math.abs(quotient - Math.round(quotient)) <= 1e-9 * Math.abs(quotient);
  return divides ? undefined : { detail: `${path} in body should be a multiple of ${by}`, value };
}

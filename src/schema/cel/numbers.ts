/** Numbers as texts. */

/** The shortest text that is the number, without an exponent. */
export function fixedText(value: number): string {
  const [digits = "", power = "0"] = Math.abs(value).toExponential().split("e"), sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [whole = "", rest = ""] = digits.split("."), at = Number(power), all = whole + rest;
  if (at < 0) return `${sign}0.${"0".repeat(-at - 1)}${all}`;
  return sign + (all.length <= at + 1 ? all.padEnd(at + 1, "0") : `${all.slice(0, at + 1)}.${all.slice(at + 1)}`);
}

/** A double as Go's `%g` of shortest form has it. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (exponent < -4 || exponent >= 6) {
    const [digits = "", power = ""] = value.toExponential().split("e");
    return `${digits}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  }
  return String(value);
}

import type { Json } from "../base/json.ts";

const suffixes: { readonly [suffix: string]: readonly [base: 2 | 10, exponent: number] } = {
  "": [10, 0], n: [10, -9], u: [10, -6], m: [10, -3], k: [10, 3], M: [10, 6], G: [10, 9], T: [10, 12], P: [10, 15], E: [10, 18],
  Ki: [2, 10], Mi: [2, 20], Gi: [2, 30], Ti: [2, 40], Pi: [2, 50], Ei: [2, 60],
};
const int64Max = 2n ** 63n - 1n;

/** What spew prints of a `resource.Quantity` that was just parsed (apimachinery pkg/api/resource/quantity.go ParseQuantity): which of its three forms it is kept in depends on the text. */
export function dumpQuantity(value: Json | undefined): string {
  const text = value === undefined || value === null ? "" : String(value);
  if (text === "") return render(0n, 0, "", "");
  if (text === "0") return render(0n, 0, "0", "DecimalSI");
  const match = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(.*)$/.exec(text);
  const [, sign = "", whole = "", denom = "", suffix = ""] = match ?? [];
  const scientific = /^[eE]([+-]?[0-9]+)$/.exec(suffix);
  const [base, exponent] = scientific ? [10, Number(scientific[1])] as const : suffixes[suffix] ?? [10, 0];
  const format = scientific ? "DecimalExponent" : base === 2 ? "BinarySI" : "DecimalSI";
  const num = whole.replace(/^0+/, "") || "0";
  const precision = base === 10 ? 18 - (num.length + denom.length) : denom === "" ? 15 - num.length - Math.trunc(exponent * 3 / 10) - 1 : -1;
  const scale = (base === 10 ? exponent : 0) - denom.length;
  const digits = BigInt(num + denom);
  if (precision >= 0 && scale >= -9) {
    const amount = digits * (base === 2 ? 2n ** BigInt(exponent) : 1n) * (sign === "-" ? -1n : 1n);
    const canonical = base === 2 ? exponent % 10 === 0 && (digits & 7n) !== 0n : scale % 3 === 0 && !(num + denom).endsWith("000") && !(num + denom).startsWith("0");
    return render(amount, scale, canonical ? text : "", format);
  }
  return renderBig(digits, base, exponent, denom.length, sign === "-", format);
}

function render(value: bigint, scale: number, text: string, format: string): string {
  return `{i:(resource.int64Amount){value:(int64)${value} scale:(resource.Scale)${scale}} d:(resource.infDecAmount){Dec:(*inf.Dec)<nil>} s:(string)${text} Format:(resource.Format)${format}}`;
}

/** Too long or too fine for 64 bits: an arbitrary-precision decimal, rounded up to billionths. */
function renderBig(digits: bigint, base: 2 | 10, exponent: number, decimals: number, negative: boolean, format: string): string {
  // value = unscaled / 10^9
  let unscaled = digits * (base === 2 ? 2n ** BigInt(exponent) : 1n);
  const shift = 9 - decimals + (base === 10 ? exponent : 0);
  if (shift >= 0) unscaled *= 10n ** BigInt(shift);
  else unscaled = (unscaled + 10n ** BigInt(-shift) - 1n) / 10n ** BigInt(-shift);
  let scale = 9;
  if (base === 2 && unscaled > int64Max * 10n ** 9n) [unscaled, scale] = [int64Max, 0];
  const kept = base === 2 && unscaled < 10n ** BigInt(scale) && unscaled > 0n ? "DecimalSI" : format;
  const words: bigint[] = [];
  for (let rest = unscaled; rest > 0n; rest >>= 64n) words.push(rest & (2n ** 64n - 1n));
  const abs = words.length === 0 ? "<nil>" : `[${words.join(" ")}]`;
  return `{i:(resource.int64Amount){value:(int64)0 scale:(resource.Scale)0} d:(resource.infDecAmount){Dec:(*inf.Dec){unscaled:(big.Int){neg:(bool)${negative} abs:(big.nat)${abs}} scale:(inf.Scale)${scale}}} s:(string) Format:(resource.Format)${kept}}`;
}

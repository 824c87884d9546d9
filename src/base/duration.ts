/** Go's time.Duration as text (`1m0s`, `1h30m`, `250ms`), for fields that hold one. */
const unitNanos: { readonly [unit: string]: bigint } = { ns: 1n, us: 1_000n, "µs": 1_000n, "μs": 1_000n, ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n, h: 3_600_000_000_000n };
const int64Max = 2n ** 63n - 1n;
/** Longer texts say nothing that a shorter one could not. */
const lengthMax = 128;

/** Nanoseconds, or undefined for a text that is no duration. */
export function parseDuration(text: string): bigint | undefined {
  const sign = text.startsWith("-") ? -1n : 1n;
  let rest = text.replace(/^[-+]/, "");
  if (rest === "0") return 0n;
  if (rest === "" || rest.length > lengthMax) return undefined;
  let total = 0n;
  while (rest !== "") {
    const part = /^(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/.exec(rest);
    if (!part || (part[1] === "" && (part[2] ?? "") === "")) return undefined;
    const [all, whole = "", fraction = "", unit = ""] = part;
    const size = unitNanos[unit]!;
    total += BigInt(whole === "" ? 0 : whole) * size + (fraction === "" ? 0n : (BigInt(fraction) * size) / 10n ** BigInt(fraction.length));
    rest = rest.slice(all.length);
  }
  return total > int64Max ? undefined : sign * total;
}

/** What time.ParseDuration says of a text that is no duration. */
export function durationProblem(text: string): string {
  const shown = JSON.stringify(text);
  let rest = text.replace(/^[-+]/, "");
  for (let part; (part = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)) !== null;) {
    rest = rest.slice(part[0].length);
    const unit = /^[^.\d]*/.exec(rest)![0];
    if (unit === "") return `time: missing unit in duration ${shown}`;
    if (!Object.hasOwn(unitNanos, unit)) return `time: unknown unit ${JSON.stringify(unit)} in duration ${shown}`;
    rest = rest.slice(unit.length);
  }
  return `time: invalid duration ${shown}`;
}

/** As Go writes it: `1h0m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(nanos: bigint): string {
  if (nanos < 0n) return `-${formatDuration(-nanos)}`;
  if (nanos === 0n) return "0s";
  if (nanos < 1_000_000_000n) {
    const [size, unit] = nanos < 1_000n ? [1n, "ns"] : nanos < 1_000_000n ? [1_000n, "µs"] : [1_000_000n, "ms"];
    return `${decimal(nanos, size as bigint)}${unit}`;
  }
  const seconds = nanos % 60_000_000_000n;
  const minutes = nanos / 60_000_000_000n;
  const tail = `${decimal(seconds, 1_000_000_000n)}s`;
  if (minutes === 0n) return tail;
  return minutes < 60n ? `${minutes}m${tail}` : `${minutes / 60n}h${minutes % 60n}m${tail}`;
}
function decimal(value: bigint, size: bigint): string {
  const fraction = String(value % size).padStart(String(size).length - 1, "0").replace(/0+$/, "");
  return fraction === "" ? `${value / size}` : `${value / size}.${fraction}`;
}

export function canonicalDuration(text: string): string | undefined {
  const nanos = parseDuration(text);
  return nanos === undefined ? undefined : formatDuration(nanos);
}

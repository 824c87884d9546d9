/** Times and durations of CEL: Go's notation, nanoseconds, and parts of a date in UTC, at an offset, or in a named zone. */
import { CelError } from "./error.ts";
import { fixedText } from "./numbers.ts";
import { Duration, Timestamp } from "./values.ts";

export const second = 1_000_000_000n;
const units: { readonly [unit: string]: bigint } = { ns: 1n, us: 1_000n, "µs": 1_000n, "μs": 1_000n, ms: 1_000_000n, s: second, m: 60n * second, h: 3_600n * second };
const durationMax = 2n ** 63n - 1n;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999999Z. */
const timestampMin = -62_135_596_800n * second, timestampMax = 253_402_300_800n * second - 1n;

/** Go's time.ParseDuration; `undefined` if it is none. */
export function parseDuration(text: string): Duration | undefined {
  const sign = text.startsWith("-") ? -1n : 1n;
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return new Duration(0n);
  if (rest === "") return undefined;
  let nanos = 0n;
  while (rest !== "") {
    const found = /^(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/.exec(rest);
    // No digit beyond these can make a difference that is not an overflow, and converting a million of them takes long.
    if (found === null || (found[1] === "" && (found[2] ?? "") === "") || found[1]!.length > 20) return undefined;
    const unit = units[found[3]!]!, fraction = (found[2] ?? "").slice(0, 18);
    nanos += BigInt(found[1] || "0") * unit + (BigInt(fraction || "0") * unit) / 10n ** BigInt(fraction.length);
    if (nanos > durationMax + 1n) return undefined;
    rest = rest.slice(found[0].length);
  }
  return sign * nanos > durationMax ? undefined : new Duration(sign * nanos);
}

/** As CEL turns a duration into a string: seconds, with a fraction if there is one. */
export function renderDuration({ nanos }: Duration): string {
  // Quirk: as a double, so the last digits of very long ones are lost (cel-go common/types/duration.go).
  return `${fixedText(Number(nanos / second) + Number(nanos % second) / 1e9)}s`;
}

/** RFC 3339; `undefined` if it is none or out of range. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const found = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/.exec(text);
  if (found === null) return undefined;
  const [year, month, day, hour, minute, seconds] = found.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || seconds > 59) return undefined;
  const zone = found[8]!, offset = zone === "Z" ? 0 : (zone.startsWith("-") ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)));
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  const whole = BigInt(midnight.getTime() / 1000 + hour * 3600 + minute * 60 + seconds - offset * 60);
  return inRange(whole * second + BigInt((found[7] ?? "").padEnd(9, "0").slice(0, 9)));
}
export function inRange(nanos: bigint): Timestamp | undefined {
  return nanos < timestampMin || nanos > timestampMax ? undefined : new Timestamp(nanos);
}
function daysIn(year: number, month: number): number {
  return month === 2 ? (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

export function timestampOf(nanos: bigint): Timestamp {
  const made = inRange(nanos);
  if (made === undefined) throw new CelError("timestamp overflow");
  return made;
}
export function durationOf(nanos: bigint): Duration {
  if (nanos > durationMax || nanos < -durationMax - 1n) throw new CelError("integer overflow");
  return new Duration(nanos);
}

export function renderTimestamp({ nanos }: Timestamp): string {
  const { date, fraction } = split(nanos);
  const digits = String(fraction).padStart(9, "0").replace(/0+$/, "");
  return `${date.toISOString().slice(0, 19).replace(/^\+00/, "")}${digits === "" ? "" : `.${digits}`}Z`;
}
function split(nanos: bigint): { readonly date: Date; readonly fraction: bigint } {
  const fraction = ((nanos % second) + second) % second;
  return { date: new Date(Number((nanos - fraction) / 1_000_000n)), fraction };
}

export type DatePart = "FullYear" | "Month" | "Date" | "DayOfMonth" | "DayOfWeek" | "DayOfYear" | "Hours" | "Minutes" | "Seconds" | "Milliseconds";

/** One part of the date and time, in UTC or `zone`: an offset such as `-08:00`, or a name. */
export function datePart({ nanos }: Timestamp, part: DatePart, zone = "UTC"): bigint {
  const shifted = split(nanos + BigInt(offsetMinutes(nanos, zone)) * 60n * second);
  const { date } = shifted;
  switch (part) {
    case "FullYear": return BigInt(date.getUTCFullYear());
    case "Month": return BigInt(date.getUTCMonth());
    case "Date": return BigInt(date.getUTCDate());
    case "DayOfMonth": return BigInt(date.getUTCDate() - 1);
    case "DayOfWeek": return BigInt(date.getUTCDay());
    case "DayOfYear": return BigInt(Math.floor((Date.UTC(2000, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(2000, 0, 1)) / 86_400_000) - (date.getUTCMonth() > 1 && daysIn(date.getUTCFullYear(), 2) === 28 ? 1 : 0));
    case "Hours": return BigInt(date.getUTCHours());
    case "Minutes": return BigInt(date.getUTCMinutes());
    case "Seconds": return BigInt(date.getUTCSeconds());
    case "Milliseconds": return shifted.fraction / 1_000_000n;
  }
}

function offsetMinutes(nanos: bigint, zone: string): number {
  if (zone === "UTC" || zone === "" || zone === "Z") return 0;
  const offset = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone);
  if (offset !== null) return (offset[1] === "-" ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3]));
  const ms = Number(nanos / 1_000_000n);
  const shown = zoneFormat(zone).formatToParts(ms);
  const of = (type: string): number => Number(shown.find(each => each.type === type)?.value ?? 0);
  return Math.round((Date.UTC(of("year"), of("month") - 1, of("day"), of("hour") % 24, of("minute"), of("second")) - Math.floor(ms / 1000) * 1000) / 60_000);
}
function zoneFormat(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
}

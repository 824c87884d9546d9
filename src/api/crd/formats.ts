/** Formats that texts and numbers of custom resources may have (kube-openapi pkg/validation/strfmt, apiextensions pkg/apiserver/validation/formats.go). Each pattern is linear. */
import { parseDuration } from "../../base/duration.ts";
import { parseCidr, parseIp } from "../../base/ip.ts";
import type { Schema } from "./schema.ts";

/** The format as far as it is one of its type's; upstream's names may have dashes or not. */
export function formatOf({ format, type, "x-kubernetes-int-or-string": either }: Schema): string {
  if (format === undefined) return "";
  switch (either === true ? "" : (type ?? "")) {
    case "": case "string": return texts.has(format.replaceAll("-", "")) ? format : "";
    case "integer": return format === "int32" || format === "int64" ? format : "";
    case "number": return format === "float" || format === "double" ? format : "";
    default: return "";
  }
}

/** Whether a text is of a format that `formatOf` gave. */
export function isOfFormat(format: string, text: string): boolean {
  return texts.get(format.replaceAll("-", ""))?.(text) ?? true;
}

const matches = (pattern: RegExp) => (text: string): boolean => pattern.test(text);
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const isIsbn10 = (text: string): boolean => {
  const digits = text.replace(/[\s-]+/g, "");
  return /^(?:[0-9]{9}X|[0-9]{10})$/.test(digits) && [...digits].reduce((sum, digit, i) => sum + (i + 1) * (digit === "X" ? 10 : Number(digit)), 0) % 11 === 0;
};
const isIsbn13 = (text: string): boolean => {
  const digits = text.replace(/[\s-]+/g, "");
  return /^[0-9]{13}$/.test(digits) && (10 - ([...digits.slice(0, 12)].reduce((sum, digit, i) => sum + (i % 2 === 0 ? 1 : 3) * Number(digit), 0) % 10)) % 10 === Number(digits[12]);
};

const texts: ReadonlyMap<string, (text: string) => boolean> = new Map<string, (text: string) => boolean>([
  ["bsonobjectid", matches(/^[0-9a-fA-F]{24}$/)], ["uri", isUri], ["email", text => text.length <= 1_000 && /^(?:[^<>]*<)?[^\s@<>,;:()[\]\\"]+@[^\s@<>,;:()\\"]+>?$/.test(text.trim())],
  ["hostname", isHostname], ["ipv4", text => text.includes(".") && parseIp(sloppy(text)) !== undefined], ["ipv6", text => text.includes(":") && parseIp(text) !== undefined], ["cidr", text => parseCidr(sloppy(text)) !== undefined],
  ["mac", matches(/^(?:[0-9a-fA-F]{2}(?:(?::[0-9a-fA-F]{2}){5}(?:(?::[0-9a-fA-F]{2}){2}(?:(?::[0-9a-fA-F]{2}){12})?)?|(?:-[0-9a-fA-F]{2}){5}(?:(?:-[0-9a-fA-F]{2}){2}(?:(?:-[0-9a-fA-F]{2}){12})?)?)|[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4}){2}(?:\.[0-9a-fA-F]{4}(?:(?:\.[0-9a-fA-F]{4}){6})?)?)$/)],
  ["uuid", matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)], ["uuid3", matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
  ["uuid4", matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)], ["uuid5", matches(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ["isbn", text => isIsbn10(text) || isIsbn13(text)], ["isbn10", isIsbn10], ["isbn13", isIsbn13], ["creditcard", isCreditCard],
  ["ssn", text => text.length === 11 && /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(text)], ["hexcolor", matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ["rgbcolor", matches(/^rgb\(\s*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])(?:\s*,\s*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])){2}\s*\)$/)],
  ["byte", text => text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)], ["password", () => true], ["date", isDate], ["datetime", isDateTime], ["duration", isDuration],
  ["k8sshortname", text => text.length <= 63 && label.test(text)], ["k8slongname", text => text.length <= 253 && text.split(".").every(part => label.test(part))],
]);

/** Go's older reading of addresses lets numbers have leading zeros. */
const sloppy = (text: string): string => (text.length > 64 ? text : text.replace(/(^|[.:])0+(?=\d+(?:[./]|$))/g, "$1"));

/** One label with a dash at its second place at most, or labels and a top-level domain of letters. */
function isHostname(text: string): boolean {
  if (text.length > 255 || new TextEncoder().encode(text).length > 255) return false;
  return /^(?:[a-zA-Z0-9\p{S}\p{L}]-?[a-zA-Z0-9\p{S}\p{L}]{0,62}|(?:[a-zA-Z0-9\p{S}\p{L}](?:[-a-zA-Z0-9\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?\.)+[a-zA-Z\p{L}]{2,63})$/u.test(text)
    && text.split(".").every(part => new TextEncoder().encode(part).length <= 63);
}

/** net/url.ParseRequestURI: a URL with its scheme, or an absolute path. */
function isUri(text: string): boolean {
  if (text === "" || /[\u0000-\u0020\u007f]/.test(text.replaceAll(" ", "")) || /%(?![0-9a-fA-F]{2})/.test(text)) return false;
  if (text === "*") return true;
  const [, scheme] = /^([a-zA-Z][-+.a-zA-Z0-9]*):/.exec(text) ?? [];
  if (scheme === undefined) return text.startsWith("/");
  const rest = text.slice(scheme.length + 1);
  if (!rest.startsWith("//")) return true;
  const authority = rest.slice(2).split(/[/?]/, 1)[0]!, host = authority.slice(authority.lastIndexOf("@") + 1);
  return /^(?:\[[^\]]*\]|[^\s#/?@\\^`{|}:[\]]*)(?::\d*)?$/.test(host);
}

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[^0-9]+/g, "");
  if (!/^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/.test(digits)) return false;
  return [...digits].reverse().reduce((sum, digit, i) => sum + (i % 2 === 0 ? Number(digit) : (Number(digit) * 2) % 10 + (Number(digit) >= 5 ? 1 : 0)), 0) % 10 === 0;
}

function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return false;
  return Number(day) >= 1 && Number(month) >= 1 && Number(month) <= 12 && Number(day) <= new Date(Date.UTC(Number(year) < 100 ? 2000 : Number(year), Number(month), 0)).getUTCDate();
}

function isDateTime(text: string): boolean {
  const [date = "", time] = text.toLowerCase().split("t");
  const [, hour = "", minute = "", second = ""] = /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/.exec(time ?? "") ?? [];
  return time !== undefined && isDate(date) && hour !== "" && hour <= "23" && minute <= "59" && second <= "59";
}

const units = /^(?:ns|nano|us|µs|micro|ms|milli|s|sec|m|min|h|hr|hour|d|day|w|wk|week)$/i, prefixes = /^(?:nano|micro|milli|sec|min|hour|day|week)/i;
/** Go's durations, and any text in which a number stands before a unit. */
function isDuration(text: string): boolean {
  if (parseDuration(text) !== undefined) return true;
  return [...text.matchAll(/\d+\s*([A-Za-zµ]+)/g)].some(([, unit = ""]) => units.test(unit) || prefixes.test(unit));
}

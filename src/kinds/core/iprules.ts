/** Rules of addresses (apimachinery pkg/util/validation/ip.go and core's ValidateNonSpecialIP). */
import { type Cidr, type Ip, parseCidr, parseIp, renderIp, within } from "../../base/ip.ts";
import { invalidValue, type Problem } from "../../schema/problem.ts";

/** `old`: texts that were there before, which may stay. */
export function validateIp(value: string, path: string, old?: readonly string[]): readonly Problem[] {
  if (old?.includes(value) === true) return [];
  const ip = parseIp(value);
  if (ip === undefined) return [invalidValue(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")];
  return hasZeroes(value) ? [invalidValue(path, value, "must not have leading 0s")] : ip.family === 4 && value.includes(":") ? [invalidValue(path, value, "must not be an IPv4-mapped IPv6 address")] : [];
}
/** The same, and in the one form that RFC 5952 has. */
export function validateCanonicalIp(value: string, path: string): readonly Problem[] {
  const problems = validateIp(value, path), canonical = problems.length > 0 ? value : renderIp(parseIp(value)!);
  return value === canonical ? problems : [invalidValue(path, value, `must be in canonical form (${JSON.stringify(canonical)})`)];
}
/** The check of any address with the shorter text of fields that are old. */
export function validateOldIp(value: string, path: string): readonly Problem[] {
  return parseIp(value) === undefined ? [invalidValue(path, value, "must be a valid IP address")] : [];
}
export function validateCidr(value: string, path: string, old?: readonly string[]): readonly Problem[] {
  if (old?.includes(value) === true) return [];
  const cidr = parseCidr(value);
  if (cidr === undefined) return [invalidValue(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")];
  if (hasZeroes(value) || /\/0[0-9]/.test(value)) return [invalidValue(path, value, "must not have leading 0s in IP or prefix length")];
  if (cidr.family === 4 && value.includes(":")) return [invalidValue(path, value, "must not have an IPv4-mapped IPv6 address")];
  return networkOf(cidr).value === cidr.value ? [] : [invalidValue(path, value, "must not have bits set beyond the prefix length")];
}
export function validateCanonicalCidr(value: string, path: string): readonly Problem[] {
  const problems = validateCidr(value, path), cidr = problems.length > 0 ? undefined : parseCidr(value)!, canonical = cidr === undefined ? value : `${renderIp(cidr)}/${cidr.bits}`;
  return value === canonical ? problems : [invalidValue(path, value, `must be in canonical form (${JSON.stringify(canonical)})`)];
}
function networkOf(cidr: Cidr): Ip {
  const rest = BigInt((cidr.family === 4 ? 32 : 128) - cidr.bits);
  return { family: cidr.family, value: (cidr.value >> rest) << rest };
}
/** An IPv4 part, alone or at the end of an IPv6 address, that only the sloppy parser takes. */
const hasZeroes = (value: string): boolean => value.includes(".") && /(?:^|[.:])0[0-9]/.test(value.slice(value.lastIndexOf(":", value.indexOf(".")) + 1));

const plain = /^[1-9][0-9]{0,2}(?:\.(?:0|[1-9][0-9]{0,2})){3}$/;
/** What is odd in how an address is written, of fields that take such (GetWarningsForIP). */
export function* ipWarnings(value: string, path: string): Iterable<string> {
  // Nearly all are such, and every status of a pod has some.
  if (plain.test(value)) return;
  const ip = parseIp(value);
  if (ip === undefined || renderIp(ip) === value) return;
  const [told, right] = [JSON.stringify(value), JSON.stringify(renderIp(ip))];
  yield validateIp(value, path).length > 0 ? `${path}: non-standard IP address ${told} is invalid: use ${right}` : `${path}: IPv6 address ${told} should be in RFC 5952 canonical format (${right})`;
}
/** The same of ranges (GetWarningsForCIDR). */
export function* cidrWarnings(value: string, path: string): Iterable<string> {
  const cidr = parseCidr(value);
  if (cidr === undefined) return;
  const network = networkOf(cidr), told = JSON.stringify(value), right = JSON.stringify(`${renderIp(network)}/${cidr.bits}`);
  if (network.value !== cidr.value) yield `${path}: CIDR value ${told} is ambiguous in this context (should be ${right} or ${JSON.stringify(`${renderIp(cidr)}/${cidr.family === 4 ? 32 : 128}`)}?)`;
  if (hasZeroes(value) || /\/0[0-9]/.test(value) || (cidr.family === 4 && value.includes(":"))) yield `${path}: non-standard CIDR value ${told} is invalid: use ${right}`;
  else if (network.value === cidr.value && right !== told) yield `${path}: IPv6 CIDR value ${told} should be in RFC 5952 canonical format (${right})`;
}

const special: readonly (readonly [readonly string[], (value: string) => string])[] = [
  [["0.0.0.0/32", "::/128"], value => `may not be unspecified (${value})`],
  [["127.0.0.0/8", "::1/128"], () => "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  [["169.254.0.0/16", "fe80::/10"], () => "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  [["224.0.0.0/24", "ff02::/16"], () => "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
];
/** An address that traffic can be sent to from elsewhere. */
export function validateReachableIp(value: string, path: string, old?: readonly string[]): readonly Problem[] {
  const problems = validateIp(value, path, old);
  return problems.length > 0 ? problems : validateNotSpecial(value, path);
}
export function validateNotSpecial(value: string, path: string): readonly Problem[] {
  const ip: Ip | undefined = parseIp(value);
  if (ip === undefined) return [];
  return special.filter(([ranges]) => ranges.some(range => within(ip, parseCidr(range)!))).map(([, detail]) => invalidValue(path, value, detail(value)));
}

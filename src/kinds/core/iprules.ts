/** Rules of addresses (apimachinery pkg/util/validation/ip.go and core's ValidateNonSpecialIP). */
import { type Ip, parseCidr, parseIp, within } from "../../base/ip.ts";
import { invalidValue, type Problem } from "../../schema/problem.ts";

export function validateIp(value: string, path: string): readonly Problem[] {
  return parseIp(value) === undefined ? [invalidValue(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")] : [];
}
/** The same with the shorter text of fields that are old. */
export function validateOldIp(value: string, path: string): readonly Problem[] {
  return parseIp(value) === undefined ? [invalidValue(path, value, "must be a valid IP address")] : [];
}
export function validateCidr(value: string, path: string): readonly Problem[] {
  return parseCidr(value) === undefined ? [invalidValue(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")] : [];
}

const special: readonly (readonly [readonly string[], (value: string) => string])[] = [
  [["0.0.0.0/32", "::/128"], value => `may not be unspecified (${value})`],
  [["127.0.0.0/8", "::1/128"], () => "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  [["169.254.0.0/16", "fe80::/10"], () => "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  [["224.0.0.0/24", "ff02::/16"], () => "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
];
/** An address that traffic can be sent to from elsewhere. */
export function validateReachableIp(value: string, path: string): readonly Problem[] {
  return [...validateIp(value, path), ...validateNotSpecial(value, path)];
}
export function validateNotSpecial(value: string, path: string): readonly Problem[] {
  const ip: Ip | undefined = parseIp(value);
  if (ip === undefined) return [];
  return special.filter(([ranges]) => ranges.some(range => within(ip, parseCidr(range)!))).map(([, detail]) => invalidValue(path, value, detail(value)));
}

/** IP addresses and networks (apiserver pkg/cel/library/ip.go, cidr.go). */
import { type Cidr, type Ip, parseIp, renderIp, within } from "../../../base/ip.ts";
import { goQuote } from "../../problem.ts";
import { addressProblem } from "../address-problem.ts";
import { CelError } from "../error.ts";
import { type Library, type Overload, global, member, traversal } from "../functions.ts";
import { opaque, types } from "../types.ts";
import { Opaque, type Value, sizeOf } from "../values.ts";

const ipType = opaque("net.IP"), cidrType = opaque("net.CIDR");
const { bool, int, string } = types;

export class IpValue extends Opaque {
  override readonly typeName = "net.IP";
  readonly ip: Ip;
  constructor(ip: Ip) {
    super();
    this.ip = ip;
  }
  equals(other: Opaque): boolean {
    return other instanceof IpValue && other.ip.family === this.ip.family && other.ip.value === this.ip.value;
  }
}
export class CidrValue extends Opaque {
  override readonly typeName = "net.CIDR";
  readonly cidr: Cidr;
  constructor(cidr: Cidr) {
    super();
    this.cidr = cidr;
  }
  equals(other: Opaque): boolean {
    return other instanceof CidrValue && other.cidr.family === this.cidr.family && other.cidr.value === this.cidr.value && other.cidr.bits === this.cidr.bits;
  }
}

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };
function parseAddress(text: string): Parsed<Ip> {
  if (/^[0-9a-fA-F:.]+%./.test(text)) return { ok: false, message: `IP address ${JSON.stringify(text)} with zone value is not allowed` };
  const ip = parseIp(text);
  if (ip === undefined) return { ok: false, message: `IP Address ${goQuote(text)} parse error during conversion from string: ${addressProblem(text)}` };
  return isMapped(ip) ? { ok: false, message: `IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed` } : { ok: true, value: ip };
}
function isMapped({ family, value }: Ip): boolean {
  return family === 6 && value >> 32n === 0xffffn;
}
function parseNetwork(text: string): Parsed<Cidr> {
  const fail = (problem: string): Parsed<Cidr> => ({ ok: false, message: `network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): ${problem}` });
  const slash = text.lastIndexOf("/"), ip = parseIp(text.slice(0, Math.max(slash, 0))), bits = text.slice(slash + 1);
  if (slash < 0) return fail("no '/'");
  if (ip === undefined) return fail(addressProblem(text.slice(0, slash)));
  if (!/^(0|[1-9]\d*)$/.test(bits)) return fail(`bad bits after slash: ${JSON.stringify(bits)}`);
  if (bits.length > 3 || Number(bits) > (ip.family === 4 ? 32 : 128)) return fail("prefix length out of range");
  return isMapped(ip) ? { ok: false, message: `network address parse error during conversion from string: IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed` } : { ok: true, value: { ...ip, bits: Number(bits) } };
}
function must<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new CelError(parsed.message);
  return parsed.value;
}

function maskOf({ family, bits }: Cidr): bigint {
  const all = family === 4 ? 32n : 128n;
  return ((1n << BigInt(bits)) - 1n) << (all - BigInt(bits));
}
function masked(cidr: Cidr): Cidr {
  return { ...cidr, value: cidr.value & maskOf(cidr) };
}
function containsNetwork(outer: Cidr, inner: Cidr): boolean {
  return outer.family === inner.family && outer.bits <= inner.bits && within(masked({ ...inner, bits: outer.bits }), masked(outer));
}

const ipOf = (value: Value | undefined): Ip => (value as IpValue).ip, cidrOf = (value: Value | undefined): Cidr => (value as CidrValue).cidr;
const once: Overload["cost"] = ([text]) => traversal(sizeOf(text!));
const bytesOf = ({ bits }: Cidr): number => Math.ceil(bits / 8);
const isIn = (range: readonly [4 | 6, string, number]) => {
  const [family, start, bits] = range, parsed = parseIp(start)!;
  return (ip: Ip): boolean => ip.family === family && within(ip, { ...parsed, bits });
};
const any = (...tests: readonly ((ip: Ip) => boolean)[]) => (ip: Ip): boolean => tests.some(test => test(ip));
const isLoopback = any(isIn([4, "127.0.0.0", 8]), isIn([6, "::1", 128])), isUnspecified = any(isIn([4, "0.0.0.0", 32]), isIn([6, "::", 128]));
const isLinkLocalMulticast = any(isIn([4, "224.0.0.0", 24]), ip => ip.family === 6 && (ip.value >> 112n & 0xff0fn) === 0xff02n), isLinkLocalUnicast = any(isIn([4, "169.254.0.0", 16]), isIn([6, "fe80::", 10]));
const isMulticast = any(isIn([4, "224.0.0.0", 4]), isIn([6, "ff00::", 8])), isBroadcast = isIn([4, "255.255.255.255", 32]);
const test = (name: string, id: string, holds: (ip: Ip) => boolean): [string, readonly Overload[]] => [name, [member(id, [ipType], bool, ([ip]) => holds(ipOf(ip)))]];
const containsCost = (parses: boolean): Overload["cost"] => ([cidr, other]) => traversal(2 * bytesOf(cidrOf(cidr))) + (parses ? traversal(sizeOf(other!)) : 0);
const containsNetworkCost = (parses: boolean): Overload["cost"] => ([cidr, other]) => traversal(2 * bytesOf(cidrOf(cidr))) + traversal(bytesOf(cidrOf(cidr))) + 1 + (parses ? traversal(sizeOf(other!)) : 0);

export const netLibrary: Library = new Map<string, readonly Overload[]>([
  ["ip", [
    global("string_to_ip", [string], ipType, ([text]) => new IpValue(must(parseAddress(text as string))), once),
    member("cidr_ip", [cidrType], ipType, ([cidr]) => { const { family, value } = cidrOf(cidr); return new IpValue({ family, value }); }),
  ]],
  ["family", [member("ip_family", [ipType], int, ([ip]) => BigInt(ipOf(ip).family))]],
  ["ip.isCanonical", [global("ip_is_canonical", [string], bool, ([text]) => renderIp(must(parseAddress(text as string))) === text, ([text]) => traversal(sizeOf(text!), 2))]],
  ["isIP", [global("is_ip", [string], bool, ([text]) => parseAddress(text as string).ok, once)]],
  test("isUnspecified", "ip_is_unspecified", isUnspecified), test("isLoopback", "ip_is_loopback", isLoopback),
  test("isLinkLocalMulticast", "ip_is_link_local_multicast", isLinkLocalMulticast), test("isLinkLocalUnicast", "ip_is_link_local_unicast", isLinkLocalUnicast),
  test("isGlobalUnicast", "ip_is_global_unicast", ip => !isUnspecified(ip) && !isLoopback(ip) && !isMulticast(ip) && !isLinkLocalUnicast(ip) && !isBroadcast(ip)),
  ["string", [global("ip_to_string", [ipType], string, ([ip]) => renderIp(ipOf(ip))), global("cidr_to_string", [cidrType], string, ([cidr]) => `${renderIp(cidrOf(cidr))}/${cidrOf(cidr).bits}`)]],
  ["cidr", [global("string_to_cidr", [string], cidrType, ([text]) => new CidrValue(must(parseNetwork(text as string))), once)]],
  ["isCIDR", [global("is_cidr", [string], bool, ([text]) => parseNetwork(text as string).ok, once)]],
  ["containsIP", [
    member("cidr_contains_ip_string", [cidrType, string], bool, ([cidr, text]) => contains(cidrOf(cidr), must(parseAddress(text as string))), containsCost(true)),
    member("cidr_contains_ip_ip", [cidrType, ipType], bool, ([cidr, ip]) => contains(cidrOf(cidr), ipOf(ip)), containsCost(false)),
  ]],
  ["containsCIDR", [
    member("cidr_contains_cidr_string", [cidrType, string], bool, ([cidr, text]) => containsNetwork(cidrOf(cidr), must(parseNetwork(text as string))), containsNetworkCost(true)),
    member("cidr_contains_cidr", [cidrType, cidrType], bool, ([cidr, other]) => containsNetwork(cidrOf(cidr), cidrOf(other)), containsNetworkCost(false)),
  ]],
  ["prefixLength", [member("cidr_prefix_length", [cidrType], int, ([cidr]) => BigInt(cidrOf(cidr).bits))]],
  ["masked", [member("cidr_masked", [cidrType], cidrType, ([cidr]) => new CidrValue(masked(cidrOf(cidr))))]],
]);
function contains(cidr: Cidr, ip: Ip): boolean {
  return cidr.family === ip.family && within(ip, masked(cidr));
}

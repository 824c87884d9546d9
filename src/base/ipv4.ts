/** IPv4 addresses and ranges as whole numbers. */
export type Range = { readonly first: number; readonly size: number };

/** `undefined` for what is not an address in upstream's strict notation (no leading zeros). */
export function parseIPv4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some(part => !/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255)) return undefined;
  return parts.reduce((number, part) => number * 256 + Number(part), 0);
}

export function renderIPv4(address: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** `10.96.0.0/12` */
export function parseIPv4Range(text: string): Range | undefined {
  const [address = "", bits = ""] = text.split("/");
  const first = parseIPv4(address);
  if (first === undefined || !/^[0-9]{1,2}$/.test(bits) || Number(bits) > 32) return undefined;
  const size = 2 ** (32 - Number(bits));
  return { first: first - (first % size), size };
}

export const inRange = ({ first, size }: Range, address: number): boolean => address >= first && address < first + size;

/** Answers of other servers: read as far as a forwarder must, passed on as they came. */
import type { DnsRecord } from "./message.ts";
import { readName, types } from "./message.ts";

const headerBytes = 12;
const recordsMax = 512;

export function rcodeOf(bytes: Uint8Array): number {
  return (bytes[3] ?? 2) & 15;
}

type Raw = { readonly name: string; readonly type: number; readonly ttlAt: number; readonly dataAt: number; readonly length: number };

function* records(bytes: Uint8Array): Generator<Raw> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerBytes) throw new Error("an answer without a header");
  let at = headerBytes;
  for (let i = view.getUint16(4); i > 0; i--) at = mustName(bytes, at).end + 4;
  const count = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  if (count > recordsMax) throw new Error(`an answer with ${count} records`);
  for (let i = 0; i < count; i++) {
    const { name, end } = mustName(bytes, at);
    if (end + 10 > bytes.length) throw new Error("a record cut short");
    const length = view.getUint16(end + 8);
    if (end + 10 + length > bytes.length) throw new Error("a record cut short");
    yield { name: name.toLowerCase(), type: view.getUint16(end), ttlAt: end + 4, dataAt: end + 10, length };
    at = end + 10 + length;
  }
}

function mustName(bytes: Uint8Array, at: number): { readonly name: string; readonly end: number } {
  const found = readName(bytes, at);
  if (found === undefined) throw new Error("a damaged name");
  return found;
}

/** Where the answer's times to live stand (OPT has none); `undefined` for an answer that cannot be read. */
export function ttlsOf(bytes: Uint8Array): readonly number[] | undefined {
  try {
    return [...records(bytes)].filter(({ type }) => type !== types.OPT).map(({ ttlAt }) => ttlAt);
  } catch {
    return undefined; // not worth remembering; the client may still understand it
  }
}

/** A, AAAA and CNAME records of an answer. */
export function addressRecords(bytes: Uint8Array): readonly DnsRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [...records(bytes)].flatMap(({ name, type, ttlAt, dataAt, length }): DnsRecord[] => {
    const ttl = view.getUint32(ttlAt);
    if (type === types.A && length === 4) return [{ name, type: "A", ttl, address: [...bytes.subarray(dataAt, dataAt + 4)].join(".") }];
    if (type === types.AAAA && length === 16) return [{ name, type: "AAAA", ttl, address: Array.from({ length: 8 }, (_, i) => view.getUint16(dataAt + 2 * i).toString(16)).join(":") }];
    if (type === types.CNAME) return [{ name, type: "CNAME", ttl, target: mustName(bytes, dataAt).name.toLowerCase() }];
    return [];
  });
}

/** The same answer for another query. */
export function renumbered(bytes: Uint8Array, id: number): Uint8Array {
  const copy = bytes.slice();
  copy[0] = id >> 8;
  copy[1] = id & 255;
  return copy;
}

/** The same answer, some seconds older. */
export function withAge(bytes: Uint8Array, id: number, ttls: readonly number[], seconds: number): Uint8Array {
  const copy = renumbered(bytes, id);
  const view = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  for (const at of ttls) view.setUint32(at, Math.max(0, view.getUint32(at) - seconds));
  return copy;
}

/** DNS messages (RFC 1035, EDNS of RFC 6891): one question in, an answer with compressed names out. Nothing here trusts a length or a pointer. */

export const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const;
export const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;
const classIN = 1;
const headerBytes = 12;
const plainBytesMax = 512;
/** What we offer and accept at most over UDP: below every path's limit (DNS flag day 2020). */
export const udpBytesMax = 1232;
const pointersMax = 32;

/** `name` is lower case without the last dot; "" is the root. */
export type Question = { readonly name: string; readonly type: number };
export type Query = Question & {
  readonly id: number;
  readonly recursionDesired: boolean;
  /** The largest UDP answer that the client takes. */
  readonly bytesMax: number;
  readonly edns: boolean;
  /** The name as it was asked, letter case kept: answers repeat it (0x20 clients compare). */
  readonly asked: string;
};
export type DnsRecord =
  | { readonly name: string; readonly type: "A" | "AAAA"; readonly ttl: number; readonly address: string }
  | { readonly name: string; readonly type: "CNAME" | "PTR" | "NS"; readonly ttl: number; readonly target: string }
  | { readonly name: string; readonly type: "SRV"; readonly ttl: number; readonly priority: number; readonly weight: number; readonly port: number; readonly target: string }
  | { readonly name: string; readonly type: "TXT"; readonly ttl: number; readonly text: string }
  | { readonly name: string; readonly type: "SOA"; readonly ttl: number; readonly server: string; readonly mailbox: string; readonly serial: number; readonly minimum: number };
export type Reply = { readonly rcode: number; readonly authoritative: boolean; readonly answers: readonly DnsRecord[]; readonly authority?: readonly DnsRecord[]; readonly additional?: readonly DnsRecord[] };

/** The query, or the rcode to refuse it with, or `undefined` for what deserves no answer (too short, an answer itself). */
export function parseQuery(bytes: Uint8Array): Query | { readonly id: number; readonly refuse: number; readonly opcode?: number } | undefined {
  if (bytes.length < headerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = view.getUint16(0);
  const flags = view.getUint16(2);
  if ((flags & 0x8000) !== 0) return undefined;
  const opcode = (flags >> 11) & 15;
  if (opcode !== 0) return { id, refuse: rcodes.NOTIMP, opcode };
  if (view.getUint16(4) !== 1) return { id, refuse: rcodes.FORMERR };
  const question = readName(bytes, headerBytes);
  if (question === undefined || question.end + 4 > bytes.length) return { id, refuse: rcodes.FORMERR };
  const type = view.getUint16(question.end);
  if (view.getUint16(question.end + 2) !== classIN) return { id, refuse: rcodes.REFUSED };
  let bytesMax = plainBytesMax;
  let edns = false;
  let at = question.end + 4;
  const others = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  for (let i = 0; i < others && i < 64; i++) {
    const owner = readName(bytes, at);
    if (owner === undefined || owner.end + 10 > bytes.length) return { id, refuse: rcodes.FORMERR };
    if (view.getUint16(owner.end) === types.OPT) {
      // Its "TTL" is the extended rcode, the version and flags; we speak version 0.
      if (bytes[owner.end + 5] !== 0) return { id, refuse: rcodes.BADVERS };
      edns = true;
      bytesMax = Math.max(plainBytesMax, Math.min(view.getUint16(owner.end + 2), udpBytesMax));
    }
    at = owner.end + 10 + view.getUint16(owner.end + 8);
    if (at > bytes.length) return { id, refuse: rcodes.FORMERR };
  }
  return { id, name: question.name.toLowerCase(), asked: question.name, type, recursionDesired: (flags & 0x0100) !== 0, bytesMax, edns };
}

/** Reads a name, following pointers backwards only; `undefined` if it is damaged. */
export function readName(bytes: Uint8Array, from: number): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = from;
  let end = -1;
  let length = 0;
  for (let hops = 0; hops <= pointersMax;) {
    const size = bytes[at];
    if (size === undefined) return undefined;
    if (size === 0) return { name: labels.join("."), end: end < 0 ? at + 1 : end };
    if ((size & 0xc0) === 0xc0) {
      const target = ((size & 0x3f) << 8) | (bytes[at + 1] ?? 0);
      if (end < 0) end = at + 2;
      if (target >= at) return undefined;
      at = target;
      hops++;
      continue;
    }
    if ((size & 0xc0) !== 0 || at + 1 + size > bytes.length) return undefined;
    length += size + 1;
    if (length > 254) return undefined;
    let label = "";
    for (let i = at + 1; i <= at + size; i++) label += String.fromCharCode(bytes[i]!);
    labels.push(label);
    at += size + 1;
  }
  return undefined;
}

/** The answer as bytes; records that do not fit into `bytesMax` are left out and the truncated bit is set. */
export function encodeReply(query: Query, reply: Reply, bytesMax: number): Uint8Array<ArrayBuffer> {
  const writer = new Writer(bytesMax - (query.edns ? 11 : 0));
  writer.u16(query.id);
  writer.u16(0);
  writer.u16(1);
  writer.skip(6);
  writer.name(query.asked);
  writer.u16(query.type);
  writer.u16(classIN);
  let truncated = false;
  const counts = [reply.answers, reply.authority ?? [], reply.additional ?? []].map((records, section) => {
    let written = 0;
    for (const record of truncated ? [] : records) {
      if (!writer.record(record)) {
        // Only missing answers matter to the client.
        truncated = truncated || section === 0;
        break;
      }
      written++;
    }
    return written;
  });
  if (query.edns) writer.opt();
  const bytes = writer.done();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint16(2, 0x8000 | (reply.authoritative ? 0x0400 : 0) | (truncated ? 0x0200 : 0) | (query.recursionDesired ? 0x0100 : 0) | 0x0080 | reply.rcode);
  view.setUint16(6, counts[0]!);
  view.setUint16(8, counts[1]!);
  view.setUint16(10, counts[2]! + (query.edns ? 1 : 0));
  return bytes;
}

/** A bare refusal, for what could not be read. Codes above 15 have their upper part in an OPT record. */
export function encodeRefusal(id: number, rcode: number, opcode = 0): Uint8Array<ArrayBuffer> {
  const extended = rcode > 15;
  const bytes = new Uint8Array(headerBytes + (extended ? 11 : 0));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, 0x8080 | (opcode << 11) | (rcode & 15));
  if (extended) {
    view.setUint16(10, 1);
    view.setUint16(headerBytes + 1, types.OPT);
    view.setUint16(headerBytes + 3, udpBytesMax);
    bytes[headerBytes + 5] = rcode >> 4;
  }
  return bytes;
}

class Writer {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #limit: number;
  readonly #names = new Map<string, number>();
  #at = 0;
  constructor(limit: number) {
    this.#limit = limit;
    this.#bytes = new Uint8Array(limit + 512);
    this.#view = new DataView(this.#bytes.buffer);
  }
  u16(value: number): void { this.#view.setUint16(this.#at, value); this.#at += 2; }
  u32(value: number): void { this.#view.setUint32(this.#at, value); this.#at += 4; }
  skip(count: number): void { this.#at += count; }
  name(name: string, compress = true): void {
    let rest = name;
    while (rest !== "") {
      const known = this.#names.get(rest.toLowerCase());
      if (compress && known !== undefined) return this.u16(0xc000 | known);
      if (this.#at < 0x4000) this.#names.set(rest.toLowerCase(), this.#at);
      const dot = rest.indexOf(".");
      const label = dot < 0 ? rest : rest.slice(0, dot);
      this.#bytes[this.#at++] = label.length;
      for (let i = 0; i < label.length; i++) this.#bytes[this.#at++] = label.charCodeAt(i);
      rest = dot < 0 ? "" : rest.slice(dot + 1);
    }
    this.#bytes[this.#at++] = 0;
  }
  /** False, and nothing written, when it does not fit. */
  record(record: DnsRecord): boolean {
    const start = this.#at;
    const names = new Map(this.#names);
    this.name(record.name);
    this.u16(types[record.type]);
    this.u16(classIN);
    this.u32(record.ttl);
    const lengthAt = this.#at;
    this.skip(2);
    this.#data(record);
    this.#view.setUint16(lengthAt, this.#at - lengthAt - 2);
    if (this.#at <= this.#limit) return true;
    this.#at = start;
    this.#names.clear();
    for (const [name, at] of names) this.#names.set(name, at);
    return false;
  }
  #data(record: DnsRecord): void {
    switch (record.type) {
      case "A": for (const part of record.address.split(".")) this.#bytes[this.#at++] = Number(part); break;
      case "AAAA": for (const group of groupsOf(record.address)) this.u16(group); break;
      case "CNAME": case "PTR": case "NS": this.name(record.target); break;
      // RFC 2782: the target of an SRV record is not compressed.
      case "SRV": this.u16(record.priority); this.u16(record.weight); this.u16(record.port); this.name(record.target, false); break;
      case "TXT": this.#bytes[this.#at++] = record.text.length; for (let i = 0; i < record.text.length; i++) this.#bytes[this.#at++] = record.text.charCodeAt(i); break;
      case "SOA": this.name(record.server); this.name(record.mailbox); this.u32(record.serial); this.u32(7200); this.u32(1800); this.u32(86_400); this.u32(record.minimum); break;
    }
  }
  opt(): void {
    this.#bytes[this.#at++] = 0;
    this.u16(types.OPT);
    this.u16(udpBytesMax);
    this.u32(0);
    this.u16(0);
  }
  done(): Uint8Array<ArrayBuffer> { return this.#bytes.slice(0, this.#at); }
}

/** The eight groups of an IPv6 address. */
export function groupsOf(address: string): readonly number[] {
  const [head = "", tail] = address.split("::");
  const parse = (part: string): number[] => (part === "" ? [] : part.split(":").map(group => parseInt(group, 16)));
  const front = parse(head);
  const back = tail === undefined ? [] : parse(tail);
  return [...front, ...Array.from({ length: tail === undefined ? 0 : 8 - front.length - back.length }, () => 0), ...back];
}

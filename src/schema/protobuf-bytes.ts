/** Protobuf's bytes, written back to front so that a message's length is known when its header is due, and read with limits. */
const utf8 = new TextEncoder();
const utf8Text = new TextDecoder();

export class ProtobufError extends Error {
  override name = "ProtobufError";
}

export class Writer {
  #bytes = new Uint8Array(1024);
  /** Index of the first byte written. */
  #at = 1024;

  /** How much has been written: a mark for `header`. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(this.#at);
  }
  #room(more: number): void {
    if (this.#at >= more) return;
    const used = this.length;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, used + more));
    larger.set(this.#bytes.subarray(this.#at), larger.length - used);
    this.#at = larger.length - used;
    this.#bytes = larger;
  }
  /** A non-negative number below 2^53. Anything else throws: NaN would be written for ever. */
  varint(value: number): void {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw new TypeError(`${String(value)} is no number that protobuf can hold`);
    this.#room(10);
    let count = 1;
    for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) count++;
    this.#at -= count;
    let to = this.#at;
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      if (rest <= 0x7f) {
        this.#bytes[to] = rest;
        return;
      }
      this.#bytes[to++] = (rest & 0x7f) | 0x80;
    }
  }
  /** A signed 64-bit number: ten bytes when negative. */
  int(value: number | bigint): void {
    if (typeof value === "number" && value >= 0) return this.varint(value);
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.raw(Uint8Array.from(bytes));
  }
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#at -= bytes.length;
    this.#bytes.set(bytes, this.#at);
  }
  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType);
  }
  /** The header of everything written since `mark`. */
  header(number: number, mark: number): void {
    this.varint(this.length - mark);
    this.tag(number, 2);
  }
  text(number: number, value: string): void {
    // Objects made in this process are typed, not checked again: one that lies must not write garbage.
    if (typeof value !== "string") throw new TypeError(`a ${typeof value} where protobuf has a string`);
    const mark = this.length;
    this.#ascii(value) || this.raw(utf8.encode(value));
    this.header(number, mark);
  }
  #ascii(value: string): boolean {
    this.#room(value.length);
    const from = this.#at - value.length;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[from + i] = code;
    }
    this.#at = from;
    return true;
  }
  double(number: number, value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.raw(bytes);
    this.tag(number, 1);
  }
}

export class Reader {
  readonly bytes: Uint8Array;
  at: number;
  end: number;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
  }
  #byte(): number {
    if (this.at >= this.end) throw new ProtobufError("unexpected EOF");
    return this.bytes[this.at++]!;
  }
  /** A signed 64-bit number: a bigint only where a number would be inexact. */
  int(): number | bigint {
    const from = this.at;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : this.#exact(from);
      scale *= 128;
    }
    if (this.#byte() >= 0x80 && this.#byte() > 1) throw new ProtobufError("proto: integer overflow");
    return this.#exact(from);
  }
  #exact(from: number): number | bigint {
    let value = 0n;
    for (let i = from; i < this.at; i++) value |= BigInt(this.bytes[i]! & 0x7f) << BigInt(7 * (i - from));
    const signed = BigInt.asIntN(64, value);
    return signed >= Number.MIN_SAFE_INTEGER && signed <= Number.MAX_SAFE_INTEGER ? Number(signed) : signed;
  }
  /** The end of the length-delimited field that starts here. */
  blockEnd(): number {
    const length = this.int();
    if (typeof length === "bigint" || length < 0) throw new ProtobufError("proto: negative length found during unmarshaling");
    if (this.at + length > this.end) throw new ProtobufError("unexpected EOF");
    return this.at + length;
  }
  block(): Uint8Array {
    const end = this.blockEnd();
    const block = this.bytes.subarray(this.at, end);
    this.at = end;
    return block;
  }
  text(): string {
    const end = this.blockEnd();
    const from = this.at;
    this.at = end;
    if (end - from > 48) return utf8Text.decode(this.bytes.subarray(from, end));
    let text = "";
    for (let i = from; i < end; i++) {
      const byte = this.bytes[i]!;
      if (byte > 0x7f) return utf8Text.decode(this.bytes.subarray(from, end));
      text += String.fromCharCode(byte);
    }
    return text;
  }
  double(): number {
    if (this.at + 8 > this.end) throw new ProtobufError("unexpected EOF");
    this.at += 8;
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at - 8, 8).getFloat64(0, true);
  }
  /** Runs `read` for each field of the block that starts here. */
  within<T>(read: () => T): T {
    const end = this.blockEnd();
    const outer = this.end;
    this.end = end;
    const result = read();
    this.at = end;
    this.end = outer;
    return result;
  }
  skip(wireType: number): void {
    if (wireType === 0) this.int();
    else if (wireType === 1) this.at += 8;
    else if (wireType === 2) this.at = this.blockEnd();
    else if (wireType === 5) this.at += 4;
    else throw new ProtobufError(`proto: illegal wireType ${wireType}`);
    if (this.at > this.end) throw new ProtobufError("unexpected EOF");
  }
}

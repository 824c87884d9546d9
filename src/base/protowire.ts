/**
 * A small protobuf codec for messages described as tables: what the CRI and containerd's own services need. Scalars follow
 * proto3: zero is not written, an absent field reads as undefined. 64-bit numbers are plain numbers (times in nanoseconds lose
 * their last digits, which nobody reads). Kubernetes' own objects have their codec in `schema/`.
 */
export type Scalar = "string" | "bytes" | "bool" | "int32" | "int64" | "uint32" | "uint64" | "enum" | "map";
export type Message = { readonly [field: string]: WireField };
/** Field number, type, and "many" for a repeated one. `map` is map<string, string>. */
export type WireField = readonly [number: number, type: Scalar | Message, many?: "many"];

type Value<T> = T extends "string" ? string : T extends "bytes" ? Uint8Array : T extends "bool" ? boolean
  : T extends "map" ? { readonly [key: string]: string } : T extends Scalar ? number : T extends Message ? Wire<T> : never;
/** The JavaScript shape of a message. */
export type Wire<M> = { readonly [F in keyof M]?: M[F] extends readonly [number, infer T, "many"] ? readonly Value<T>[] : M[F] extends readonly [number, infer T] ? Value<T> : never };

const utf8 = new TextEncoder();
const text = new TextDecoder();
/** Deeper nesting than any message of ours: a damaged or hostile answer. */
const depthMax = 32;

export function encodeMessage<M extends Message>(message: M, value: Wire<M>): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  write(writer, message, value as { readonly [field: string]: unknown });
  return writer.finish();
}

export function decodeMessage<M extends Message>(message: M, bytes: Uint8Array): Wire<M> {
  return read(message, new Reader(bytes), bytes.length, 0) as Wire<M>;
}

class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
  varint(value: number): void {
    this.#room(10);
    if (value < 0) {
      for (let rest = BigInt.asUintN(64, BigInt(value)), left = true; left; ) {
        const low = Number(rest & 0x7fn);
        rest >>= 7n;
        left = rest > 0n;
        this.#bytes[this.#length++] = left ? low | 0x80 : low;
      }
      return;
    }
    while (value > 0x7f) {
      this.#bytes[this.#length++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#length++] = value;
  }
  block(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

function write(writer: Writer, message: Message, value: { readonly [field: string]: unknown }): void {
  for (const [name, [number, type, many]] of Object.entries(message)) {
    const given = value[name];
    if (given === undefined || given === null) continue;
    if (many) for (const item of given as readonly unknown[]) writeField(writer, number, type, item, true);
    else writeField(writer, number, type, given, false);
  }
}

function writeField(writer: Writer, number: number, type: Scalar | Message, value: unknown, always: boolean): void {
  const block = (bytes: Uint8Array): void => {
    writer.varint(number * 8 + 2);
    writer.block(bytes);
  };
  if (typeof type === "object") block(encodeMessage(type, value as Wire<Message>));
  else if (type === "map")
    for (const [key, item] of Object.entries(value as { readonly [key: string]: string })) block(encodeMessage(entry, { key, value: item }));
  else if (type === "string") (always || value !== "") && block(utf8.encode(value as string));
  else if (type === "bytes") (always || (value as Uint8Array).length > 0) && block(value as Uint8Array);
  else {
    const scalar = Number(value);
    if (scalar === 0 && !always) return;
    writer.varint(number * 8);
    writer.varint(Math.trunc(scalar));
  }
}
const entry = { key: [1, "string"], value: [2, "string"] } as const;

class Reader {
  readonly bytes: Uint8Array;
  at = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.#next();
      if (i === 9 && byte > 0) return this.#negative(value);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new Error("protobuf: a varint longer than ten bytes");
  }
  /** Ten-byte varints are negative 64-bit numbers: read again, exactly. */
  #negative(_low: number): number {
    let exact = 0n;
    for (let i = 0; i < 10; i++) exact |= BigInt(this.bytes[this.at - 10 + i]! & 0x7f) << BigInt(7 * i);
    return Number(BigInt.asIntN(64, exact));
  }
  #next(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error("protobuf: the message ends too early");
    return byte;
  }
  block(): Uint8Array {
    const length = this.varint();
    if (length < 0 || this.at + length > this.bytes.length) throw new Error("protobuf: a field is longer than its message");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.at += 8;
    else if (wireType === 2) this.block();
    else if (wireType === 5) this.at += 4;
    else throw new Error(`protobuf: unknown wire type ${wireType}`);
  }
}

const numbered = new WeakMap<Message, ReadonlyMap<number, readonly [string, WireField]>>();
function fieldsOf(message: Message): ReadonlyMap<number, readonly [string, WireField]> {
  let fields = numbered.get(message);
  if (!fields) numbered.set(message, (fields = new Map(Object.entries(message).map(([name, field]) => [field[0], [name, field]]))));
  return fields;
}

function read(message: Message, reader: Reader, end: number, depth: number): { readonly [field: string]: unknown } {
  if (depth > depthMax) throw new Error(`protobuf: nested deeper than ${depthMax}`);
  const fields = fieldsOf(message);
  const result: { [field: string]: unknown } = {};
  while (reader.at < end) {
    const tag = reader.varint();
    const known = fields.get(Math.floor(tag / 8));
    const wireType = tag % 8;
    if (!known) {
      reader.skip(wireType);
      continue;
    }
    const [name, [, type, many]] = known;
    const isBlock = typeof type === "object" || type === "string" || type === "bytes" || type === "map";
    if (wireType !== (isBlock ? 2 : 0) && !(many && wireType === 2)) {
      reader.skip(wireType);
      continue;
    }
    if (type === "map") {
      const block = reader.block();
      const pair = read(entry, new Reader(block), block.length, depth + 1) as { key?: string; value?: string };
      const map = (result[name] ??= Object.create(null)) as { [key: string]: string };
      map[pair.key ?? ""] = pair.value ?? "";
    } else if (many && wireType === 2 && typeof type === "string" && type !== "string" && type !== "bytes") {
      const block = reader.block();
      const packed = new Reader(block);
      while (packed.at < block.length) ((result[name] ??= []) as unknown[]).push(scalar(packed, type));
    } else {
      const value = typeof type === "object" ? nested(type, reader.block(), depth) : scalar(reader, type);
      if (many) ((result[name] ??= []) as unknown[]).push(value);
      else result[name] = value;
    }
  }
  return result;
}

function nested(type: Message, block: Uint8Array, depth: number): unknown {
  return read(type, new Reader(block), block.length, depth + 1);
}

function scalar(reader: Reader, type: Scalar): unknown {
  if (type === "string") return text.decode(reader.block());
  if (type === "bytes") return reader.block();
  const value = reader.varint();
  return type === "bool" ? value !== 0 : value;
}

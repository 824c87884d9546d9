/**
 * SPDY/3.1 frames, as kubectl and other Go clients exchange them for exec, attach and port-forward: only what those use. Bytes in,
 * frames out and back; whoever holds the connection carries them.
 *
 * A control frame is `80 03 <type:16> <flags:8> <length:24>`, a data frame `<stream:31> <flags:8> <length:24>`.
 */
import { concat } from "./pipe.ts";

export type Frame =
  | { readonly type: "data"; readonly stream: number; readonly fin: boolean; readonly bytes: Uint8Array }
  /** `block` is the compressed header block; every one must be decompressed, in order, for the next to be readable. */
  | { readonly type: "synStream"; readonly stream: number; readonly fin: boolean; readonly unidirectional: boolean; readonly block: Uint8Array }
  | { readonly type: "synReply"; readonly stream: number; readonly fin: boolean; readonly block: Uint8Array }
  | { readonly type: "headers"; readonly stream: number; readonly fin: boolean; readonly block: Uint8Array }
  | { readonly type: "rstStream"; readonly stream: number; readonly status: number }
  | { readonly type: "settings" }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "goAway"; readonly lastStream: number; readonly status: number }
  | { readonly type: "windowUpdate"; readonly stream: number; readonly delta: number };

/** The other side does not speak SPDY/3.1: nothing that follows can be understood. */
export class SpdyError extends Error {}

export const rst = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5, internalError: 6 } as const;

/** Far above what Go's clients send (32 KiB) and far below the 16 MiB that a frame could say. */
export const frameBytesMax = 1024 * 1024;
const fin = 1;

/** Cuts a byte stream into frames, however the bytes arrive. */
export class FrameReader {
  #pending: Uint8Array[] = [];
  #size = 0;

  *push(chunk: Uint8Array): Generator<Frame, void, void> {
    this.#pending.push(chunk);
    this.#size += chunk.length;
    let bytes: Uint8Array | undefined;
    let at = 0;
    while (this.#size - at >= 8) {
      bytes ??= this.#joined();
      const length = (bytes[at + 5] as number) << 16 | (bytes[at + 6] as number) << 8 | (bytes[at + 7] as number);
      if (length > frameBytesMax) throw new SpdyError(`a frame of ${length} bytes is longer than ${frameBytesMax}`);
      if (this.#size - at < 8 + length) break;
      const frame = readFrame(bytes.subarray(at, at + 8 + length));
      at += 8 + length;
      if (frame) yield frame;
    }
    if (bytes) {
      this.#pending = at === bytes.length ? [] : [bytes.subarray(at)];
      this.#size -= at;
    }
  }

  #joined(): Uint8Array {
    const bytes = concat(this.#pending);
    this.#pending = [bytes];
    return bytes;
  }
}

// Undefined: a kind of frame that may be skipped.
function readFrame(bytes: Uint8Array): Frame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint32(0);
  const flags = view.getUint8(4);
  const ends = (flags & fin) !== 0;
  if (first < 0x80000000) return { type: "data", stream: first, fin: ends, bytes: bytes.subarray(8) };
  if ((first >>> 16 & 0x7fff) !== 3) throw new SpdyError(`version ${first >>> 16 & 0x7fff} is not SPDY/3`);
  const type = first & 0xffff;
  const need = (length: number): void => { if (bytes.length < 8 + length) throw new SpdyError(`a control frame of type ${type} is too short`); };
  const number = (offset: number): number => view.getUint32(8 + offset) & 0x7fffffff;
  switch (type) {
    case 1: need(10); return { type: "synStream", stream: number(0), fin: ends, unidirectional: (flags & 2) !== 0, block: bytes.subarray(18) };
    case 2: need(4); return { type: "synReply", stream: number(0), fin: ends, block: bytes.subarray(12) };
    case 3: need(8); return { type: "rstStream", stream: number(0), status: view.getUint32(12) };
    case 4: return { type: "settings" };
    case 6: need(4); return { type: "ping", id: view.getUint32(8) };
    case 7: need(4); return { type: "goAway", lastStream: number(0), status: bytes.length >= 16 ? view.getUint32(12) : 0 };
    case 8: need(4); return { type: "headers", stream: number(0), fin: ends, block: bytes.subarray(12) };
    case 9: need(8); return { type: "windowUpdate", stream: number(0), delta: number(4) };
    default: return undefined;
  }
}

/** The bytes of one frame. */
export function encodeFrame(frame: Frame): Uint8Array {
  switch (frame.type) {
    case "data": return header(frame.stream, frame.fin ? fin : 0, frame.bytes);
    case "synStream": return control(1, (frame.fin ? fin : 0) | (frame.unidirectional ? 2 : 0), [frame.stream, 0], new Uint8Array(2), frame.block);
    case "synReply": return control(2, frame.fin ? fin : 0, [frame.stream], frame.block);
    case "rstStream": return control(3, 0, [frame.stream, frame.status]);
    case "settings": return control(4, 0, [0]);
    case "ping": return control(6, 0, [frame.id]);
    case "goAway": return control(7, 0, [frame.lastStream, frame.status]);
    case "headers": return control(8, frame.fin ? fin : 0, [frame.stream], frame.block);
    case "windowUpdate": return control(9, 0, [frame.stream, frame.delta]);
  }
}

function control(type: number, flags: number, numbers: readonly number[], ...rest: readonly Uint8Array[]): Uint8Array {
  const head = new Uint8Array(4 * numbers.length);
  const view = new DataView(head.buffer);
  numbers.forEach((number, i) => view.setUint32(4 * i, number));
  return header((0x80030000 | type) >>> 0, flags, concat([head, ...rest]));
}

function header(first: number, flags: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(8 + body.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, first);
  view.setUint32(4, flags << 24 | body.length);
  frame.set(body, 8);
  return frame;
}

export type SpdyHeaders = { readonly [name: string]: string };

/** A header block before compression: a count, then names and values with their lengths, 32 bits each. */
export function encodeHeaders(headers: SpdyHeaders): Uint8Array {
  const encoder = new TextEncoder();
  const entries = Object.entries(headers);
  const parts = [uint32(entries.length)];
  for (const [name, value] of entries)
    for (const bytes of [encoder.encode(name.toLowerCase()), encoder.encode(value)]) parts.push(uint32(bytes.length), bytes);
  return concat(parts);
}

/** Null prototype, lower-case names; of several values (separated by a zero byte) the first. */
export function decodeHeaders(block: Uint8Array): SpdyHeaders {
  const headers: { [name: string]: string } = Object.create(null);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const decoder = new TextDecoder();
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw new SpdyError("a header block ends too early");
    at += 4;
    return view.getUint32(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (at + length > block.length) throw new SpdyError("a header block ends too early");
    at += length;
    return decoder.decode(block.subarray(at - length, at));
  };
  const count = number();
  if (count > 64) throw new SpdyError(`${count} headers are more than 64`);
  for (let i = 0; i < count; i++) {
    const name = text().toLowerCase();
    headers[name] = text().split("\0")[0] ?? "";
  }
  return headers;
}

/**
 * Wraps a header block as zlib data that is not compressed ("stored" blocks, RFC 1951 section 3.2.4): every inflater reads it, with or
 * without the dictionary, and the few headers that a server sends are not worth a compressor. `first` for a session's first block.
 */
export function storeBlock(block: Uint8Array, first: boolean): Uint8Array {
  if (block.length > 0xffff) throw new SpdyError("a header block of ours is longer than a stored block");
  const length = block.length;
  // The empty block at the end is what makes Go's reader hand out the one before; without it, it would look for more and fail for good.
  const end = Uint8Array.of(0, 0, 0, 0xff, 0xff);
  return concat([...(first ? [Uint8Array.of(0x78, 0x01)] : []), Uint8Array.of(0, length & 0xff, length >> 8, ~length & 0xff, ~length >> 8 & 0xff), block, end]);
}

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16 & 0xff, value >>> 8 & 0xff, value & 0xff);
}

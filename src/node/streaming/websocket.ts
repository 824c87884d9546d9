/**
 * WebSocket frames (RFC 6455) from the server's side: no extensions, messages put together from their fragments, pings answered.
 * Bytes in and out; the HTTP handshake is the host's.
 */
import type { ByteSink, ByteSource } from "../api.ts";
import { concat } from "./pipe.ts";

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** Clients send 32 KiB; a message must fit in memory because its first byte says where it goes. */
export const messageBytesMax = 8 * 1024 * 1024;

export type RawFrame = { readonly opcode: number; readonly final: boolean; readonly payload: Uint8Array };

/** The client broke the protocol; `code` goes into the close frame. */
export class WebSocketError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Cuts a client's bytes into unmasked frames, however they arrive. */
export class WebSocketReader {
  #pending: Uint8Array[] = [];
  #size = 0;

  *push(chunk: Uint8Array): Generator<RawFrame, void, void> {
    this.#pending.push(chunk);
    this.#size += chunk.length;
    for (;;) {
      if (this.#size < 2) return;
      // Only the head is needed to know how much is missing: joining early would copy a large frame again and again.
      const start = this.#head(14);
      const first = start[0] as number;
      const second = start[1] as number;
      if ((first & 0x70) !== 0) throw new WebSocketError(1002, "reserved bits are set");
      if ((second & 0x80) === 0) throw new WebSocketError(1002, "the client's frames must be masked");
      const short = second & 0x7f;
      const headSize = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + 4;
      if (start.length < headSize) return;
      const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
      const length = short === 126 ? view.getUint16(2) : short === 127 ? view.getUint32(2) * 2 ** 32 + view.getUint32(6) : short;
      if (length > messageBytesMax) throw new WebSocketError(1009, `a frame of ${length} bytes is longer than ${messageBytesMax}`);
      const opcode = first & 0x0f;
      const final = (first & 0x80) !== 0;
      if (opcode >= 8 && (!final || length > 125)) throw new WebSocketError(1002, "a control frame is fragmented or too long");
      if (this.#size < headSize + length) return;
      const bytes = concat(this.#pending);
      const mask = bytes.subarray(headSize - 4, headSize);
      // A copy: the bytes belong to whoever read them from the connection.
      const payload = bytes.slice(headSize, headSize + length);
      for (let i = 0; i < length; i++) payload[i] = (payload[i] as number) ^ (mask[i & 3] as number);
      this.#pending = bytes.length === headSize + length ? [] : [bytes.subarray(headSize + length)];
      this.#size -= headSize + length;
      yield { opcode, final, payload };
    }
  }

  #head(length: number): Uint8Array {
    const first = this.#pending[0] as Uint8Array;
    if (first.length >= length || this.#pending.length === 1) return first;
    const bytes: Uint8Array[] = [];
    for (let i = 0, size = 0; i < this.#pending.length && size < length; i++) {
      const part = (this.#pending[i] as Uint8Array).subarray(0, length - size);
      bytes.push(part);
      size += part.length;
    }
    return concat(bytes);
  }
}

/** A frame as the server sends it: whole and unmasked. */
export function encodeWebSocket(opcode: keyof typeof opcodes, payload: Uint8Array): Uint8Array {
  const length = payload.length;
  const head = length < 126 ? 2 : length < 65536 ? 4 : 10;
  const frame = new Uint8Array(head + length);
  const view = new DataView(frame.buffer);
  frame[0] = 0x80 | opcodes[opcode];
  frame[1] = head === 2 ? length : head === 4 ? 126 : 127;
  if (head === 4) view.setUint16(2, length);
  if (head === 10) view.setUint32(6, length);
  frame.set(payload, head);
  return frame;
}

/** One WebSocket over a connection that has just been upgraded. */
export class WebSocketConnection {
  readonly #input: ByteSource;
  readonly #output: ByteSink;
  #closed = false;

  constructor(input: ByteSource, output: ByteSink) {
    this.#input = input;
    this.#output = output;
  }

  /** Every message of the client, until it closes or its connection ends. A client that breaks the protocol is told and is over. */
  async *messages(): AsyncGenerator<Uint8Array, void, void> {
    const reader = new WebSocketReader();
    let parts: Uint8Array[] | undefined;
    let size = 0;
    try {
      for await (const chunk of this.#input)
        for (const { opcode, final, payload } of reader.push(chunk))
          switch (opcode) {
            case opcodes.ping: await this.#send("pong", payload); break;
            case opcodes.pong: break;
            case opcodes.close: return await this.close(payload.length >= 2 ? (payload[0] as number) << 8 | (payload[1] as number) : 1000);
            case opcodes.text: case opcodes.binary: case opcodes.continuation: {
              if ((opcode === opcodes.continuation) !== (parts !== undefined)) throw new WebSocketError(1002, "a fragment is out of place");
              size += payload.length;
              if (size > messageBytesMax) throw new WebSocketError(1009, `a message is longer than ${messageBytesMax} bytes`);
              (parts ??= []).push(payload);
              if (parts.length > 10_000) throw new WebSocketError(1009, "a message has too many fragments");
              if (!final) break;
              yield concat(parts);
              parts = undefined;
              size = 0;
              break;
            }
            default: throw new WebSocketError(1002, `opcode ${opcode} is unknown`);
          }
    } catch (error) {
      if (!(error instanceof WebSocketError)) throw error;
      await this.close(error.code);
    }
  }

  /** Resolves when the connection has room for more. */
  send(message: Uint8Array, type: "binary" | "text" = "binary"): Promise<void> {
    return this.#send(type, message);
  }

  /** Says that we are done; what was sent before arrives before it. */
  async close(code = 1000): Promise<void> {
    if (this.#closed) return;
    const frame = encodeWebSocket("close", Uint8Array.of(code >> 8, code & 0xff));
    this.#closed = true;
    await this.#output.write(frame);
  }

  async #send(opcode: "binary" | "text" | "pong", payload: Uint8Array): Promise<void> {
    if (!this.#closed) await this.#output.write(encodeWebSocket(opcode, payload));
  }
}

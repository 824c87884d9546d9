/** The server's side of one SPDY/3.1 connection: streams that the client opens, each with bytes in both directions. */
import type { ByteSink, ByteSource } from "../api.ts";
import { Pipe } from "./pipe.ts";
import { decodeHeaders, encodeFrame, encodeHeaders, FrameReader, rst, SpdyError, storeBlock, type Frame, type SpdyHeaders } from "./spdy.ts";

/** A connection's bytes, whatever carries them: a socket after its upgrade, or WebSocket messages. */
export type Carrier = { readonly input: ByteSource; readonly output: ByteSink };
/** Decompresses the connection's header blocks one after another; they share one dictionary that grows. */
export type Inflate = (block: Uint8Array) => Promise<Uint8Array>;

export interface SpdyStream {
  readonly id: number;
  readonly headers: SpdyHeaders;
  /** Ends when the client has finished writing; throws when it has reset the stream or is gone. */
  readonly input: ByteSource;
  /** Ignores what comes after `end` or a reset. */
  readonly output: ByteSink;
  /** We write no more. */
  end(): Promise<void>;
  /** We read no more: what still arrives is thrown away. */
  discard(): void;
}

// A client that has nobody reading a stream may fill this much before the whole connection waits. Go's clients know no flow control.
const unreadBytesMax = 1024 * 1024;
const streamsMax = 2_000;
const dataBytesMax = 32 * 1024;
// SPDY/3.1 gives each stream and the connection 64 KiB at first; what has been read is given back in pieces of this size.
const windowStep = 16 * 1024;

export class SpdySession {
  readonly #carrier: Carrier;
  readonly #inflate: Inflate;
  readonly #accept: (stream: SpdyStream) => string | undefined;
  readonly #streams = new Map<number, Stream>();
  #lastStream = 0;
  #replied = false;
  #connectionUnacknowledged = 0;
  #over = false;

  /** `accept` hears of each new stream and says why it will not have it, if so. */
  constructor(carrier: Carrier, inflate: Inflate, accept: (stream: SpdyStream) => string | undefined) {
    this.#carrier = carrier;
    this.#inflate = inflate;
    this.#accept = accept;
  }

  /** Serves until the client closes the connection or breaks the protocol (then it throws). */
  async run(): Promise<void> {
    const reader = new FrameReader();
    try {
      for await (const chunk of this.#carrier.input) for (const frame of reader.push(chunk)) await this.#take(frame);
    } finally {
      this.#over = true;
      for (const stream of this.#streams.values()) stream.fail(new Error("the client closed the connection"));
      this.#streams.clear();
    }
  }

  /** Tells the client that no further stream is served. */
  async goAway(): Promise<void> {
    await this.#send({ type: "goAway", lastStream: this.#lastStream, status: 0 });
  }

  async #take(frame: Frame): Promise<void> {
    switch (frame.type) {
      case "synStream": return this.#open(frame.stream, frame.fin, await this.#headers(frame.block));
      // The blocks must be read in any case: the next one builds on them.
      case "synReply": case "headers": {
        await this.#headers(frame.block);
        if (frame.fin) this.#streams.get(frame.stream)?.finished();
        return;
      }
      case "data": {
        const stream = this.#streams.get(frame.stream);
        if (stream) {
          await stream.receive(frame.bytes);
          if (frame.fin) stream.finished();
        } else {
          this.#consumed(frame.bytes.length);
          if (frame.stream === 0 || frame.stream > this.#lastStream) await this.#send({ type: "rstStream", stream: frame.stream, status: rst.invalidStream });
        }
        return;
      }
      case "rstStream": return this.#streams.get(frame.stream)?.fail(new Error("the client reset the stream"));
      // Odd ids are the client's questions, even ones would answer ours.
      case "ping": return frame.id % 2 === 1 ? this.#send(frame) : undefined;
      case "goAway": case "settings": case "windowUpdate": return;
    }
  }

  async #open(id: number, fin: boolean, headers: SpdyHeaders): Promise<void> {
    if (id % 2 === 0 || id <= this.#lastStream) throw new SpdyError(`the client may not open stream ${id} now`);
    this.#lastStream = id;
    if (this.#streams.size >= streamsMax) return this.#send({ type: "rstStream", stream: id, status: rst.refusedStream });
    const stream = new Stream(id, headers, frame => this.#send(frame), bytes => this.#consumed(bytes), () => void this.#streams.delete(id));
    this.#streams.set(id, stream);
    if (fin) stream.finished();
    if (this.#accept(stream) !== undefined) {
      this.#streams.delete(id);
      return this.#send({ type: "rstStream", stream: id, status: rst.refusedStream });
    }
    const first = !this.#replied;
    this.#replied = true;
    await this.#send({ type: "synReply", stream: id, fin: false, block: storeBlock(encodeHeaders({}), first) });
  }

  async #headers(block: Uint8Array): Promise<SpdyHeaders> {
    return decodeHeaders(await this.#inflate(block));
  }

  #consumed(bytes: number): void {
    this.#connectionUnacknowledged += bytes;
    if (this.#connectionUnacknowledged < windowStep) return;
    void this.#send({ type: "windowUpdate", stream: 0, delta: this.#connectionUnacknowledged });
    this.#connectionUnacknowledged = 0;
  }

  async #send(frame: Frame): Promise<void> {
    if (!this.#over) await this.#carrier.output.write(encodeFrame(frame));
  }
}

class Stream implements SpdyStream {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #send: (frame: Frame) => Promise<void>;
  readonly #forget: () => void;
  readonly #pipe: Pipe;
  #unacknowledged = 0;
  #finished = false;
  #ended = false;
  readonly output: ByteSink = { write: chunk => this.#write(chunk) };

  constructor(id: number, headers: SpdyHeaders, send: (frame: Frame) => Promise<void>, consumed: (bytes: number) => void, forget: () => void) {
    this.id = id;
    this.headers = headers;
    this.#send = send;
    this.#forget = forget;
    this.#pipe = new Pipe(unreadBytesMax, bytes => {
      consumed(bytes);
      this.#unacknowledged += bytes;
      if (this.#unacknowledged < windowStep || this.#finished) return;
      void send({ type: "windowUpdate", stream: id, delta: this.#unacknowledged });
      this.#unacknowledged = 0;
    });
  }

  get input(): ByteSource { return this.#pipe; }
  discard(): void { this.#pipe.discard(); }
  receive(bytes: Uint8Array): Promise<void> { return this.#pipe.write(bytes); }

  finished(): void {
    this.#finished = true;
    this.#pipe.end();
    if (this.#ended) this.#forget();
  }

  fail(error: Error): void {
    this.#finished = this.#ended = true;
    this.#pipe.end(error);
    this.#forget();
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#finished) this.#forget();
    await this.#send({ type: "data", stream: this.id, fin: true, bytes: new Uint8Array(0) });
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length && !this.#ended; at += dataBytesMax)
      await this.#send({ type: "data", stream: this.id, fin: false, bytes: chunk.subarray(at, at + dataBytesMax) });
  }
}

import type { ByteSink, ByteSource } from "../api.ts";

/** Bytes from one writer to one reader in order. The writer waits while more than `capacity` bytes lie unread. */
export class Pipe implements ByteSink {
  readonly #capacity: number;
  readonly #consumed: ((bytes: number) => void) | undefined;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #ended = false;
  #abandoned = false;
  #failure: Error | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  /** `consumed` hears of every byte that the reader has taken, or given up. */
  constructor(capacity: number, consumed?: (bytes: number) => void) {
    this.#capacity = capacity;
    this.#consumed = consumed;
  }

  /** Resolves when there is room again. What comes after the end, or after the reader has left, is dropped. */
  async write(chunk: Uint8Array): Promise<void> {
    if (chunk.length === 0) return;
    if (this.#ended || this.#abandoned) return this.#consumed?.(chunk.length);
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    this.#wakeReader?.();
    while (this.#size > this.#capacity && !this.#abandoned && !this.#ended) await new Promise<void>(resolve => { this.#wakeWriters.push(resolve); });
  }

  /** The reader gets what is left, then the end, or `failure`. */
  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#wakeReader?.();
    this.#wake();
  }

  get ended(): boolean { return this.#ended; }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk) {
          this.#size -= chunk.length;
          this.#consumed?.(chunk.length);
          this.#wake();
          yield chunk;
        } else if (this.#ended) {
          if (this.#failure) throw this.#failure;
          return;
        } else await new Promise<void>(resolve => { this.#wakeReader = resolve; });
      }
    } finally {
      this.discard();
    }
  }

  /** Nobody wants the rest: what lies here and what still comes is dropped. */
  discard(): void {
    this.#abandoned = true;
    if (this.#size > 0) this.#consumed?.(this.#size);
    this.#chunks = [];
    this.#size = 0;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of waiting) wake();
  }
}

/** Everything from `source` to `sink`, one piece after the other. */
export async function copyBytes(source: ByteSource, sink: ByteSink): Promise<void> {
  for await (const chunk of source) await sink.write(chunk);
}

/** One array of all of them. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Long answers: what they write is gathered, and handed to their connections in turns. */
import type { Writable } from "node:stream";
import type { Sink } from "../api/http.ts";
import type { Exchange } from "./https-server-exchange.ts";

// Handed over in one turn of the event loop, and under way on one connection: the copies that TLS makes of it come out of memory that malloc has at
// hand, instead of being fetched from the kernel anew.
const sliceBytes = 96 * 1024;
// Connections with less than a slice to take come first, but for this much of each turn: readers who are up to date stay so beside others who are not.
const behindBytes = sliceBytes / 4;
// What is not longer than this is not cut.
const wholeBytes = 16 * 1024;
// After two such times without progress a connection gets more all the same: what is under way may belong to one stream whose reader does not take it.
const patienceMs = 5;
const patience = 2;

/**
 * Hands what streams have written to their connections, a slice a turn, one connection after the other: others have their turn between them, and one
 * connection's streams go out in few packets. One event goes to many watchers as the same string, one after another: it is encoded once for all of them.
 */
export class Turns {
  #text = "";
  #bytes: Uint8Array = Buffer.alloc(0);
  #upToDate: Outlet[] = [];
  #behind: Outlet[] = [];
  #isFlushing = false;
  #waiting: Outlet[] = [];

  readonly encode = (text: string): Uint8Array => {
    if (text !== this.#text) {
      this.#bytes = Buffer.from(text);
      this.#text = text;
    }
    return this.#bytes;
  };

  ready(outlet: Outlet): void {
    if (outlet.dueBytes <= sliceBytes) this.#upToDate.push(outlet);
    else this.#behind.push(outlet);
    this.#schedule();
  }
  wait(outlet: Outlet): void {
    if (this.#waiting.push(outlet) === 1) setTimeout(this.#lookAfter, patienceMs);
  }

  #schedule(): void {
    if (this.#isFlushing || this.#upToDate.length + this.#behind.length === 0) return;
    this.#isFlushing = true;
    setImmediate(this.#flush);
  }
  readonly #flush = (): void => {
    const upToDate = this.#upToDate, behind = this.#behind;
    this.#upToDate = [];
    this.#behind = [];
    let left = sliceBytes - (behind.length > 0 ? behindBytes : 0);
    let next = 0;
    for (; next < upToDate.length && left > 0; next++) left -= upToDate[next]!.flush(left);
    if (next < upToDate.length) this.#upToDate = [...upToDate.slice(next), ...this.#upToDate];
    left = Math.max(left, 0) + behindBytes;
    for (next = 0; next < behind.length && left > 0; next++) left -= behind[next]!.flush(left);
    if (next < behind.length) this.#behind = [...behind.slice(next), ...this.#behind];
    this.#isFlushing = false;
    this.#schedule();
  };
  readonly #lookAfter = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const outlet of waiting) outlet.lookAfter();
  };
}

/** The long answers of one connection. */
export class Outlet {
  readonly #turns: Turns;
  /** Have something to write, and nothing under way. */
  #due: StreamSink[] = [];
  /** What these have to write. */
  dueBytes = 0;
  #isReady = false;
  #isWaiting = false;
  #underWay = 0;
  /** Bytes handed over in an earlier era are no longer waited for. */
  #era = 0;
  #stoodStill = 0;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  encode(text: string): Uint8Array { return this.#turns.encode(text); }

  add(sink: StreamSink): void {
    this.#due.push(sink);
    this.dueBytes += sink.pendingBytes;
    this.#next();
  }

  /** Bytes that a sink handed over in `era` have been taken. */
  taken(bytes: number, era: number): void {
    this.#stoodStill = 0;
    if (era === this.#era) this.#underWay -= bytes;
    this.#next();
  }

  #next(): void {
    if (this.#due.length === 0 || this.#isReady) return;
    if (this.#underWay <= sliceBytes / 2) {
      this.#isReady = true;
      this.#turns.ready(this);
    } else if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#turns.wait(this);
    }
  }

  /** Hands over at most `max` bytes; tells how many. */
  flush(max: number): number {
    this.#isReady = false;
    const due = this.#due;
    let bytes = 0, next = 0;
    for (const most = Math.min(max, sliceBytes - this.#underWay); next < due.length && bytes < most; next++) {
      const sink = due[next]!;
      this.dueBytes -= sink.pendingBytes;
      bytes += sink.flush(most - bytes, this.#era);
    }
    this.#due = due.slice(next);
    this.#underWay += bytes;
    this.#next();
    return bytes;
  }

  lookAfter(): void {
    this.#isWaiting = false;
    if (++this.#stoodStill >= patience) {
      this.#era++;
      this.#underWay = 0;
      this.#stoodStill = 0;
    }
    this.#next();
  }
}

/** Where one long answer writes. A reader that lets more than `max` bytes pile up is cut off here if the writer has not given up before. */
export class StreamSink implements Sink {
  readonly #exchange: Exchange;
  readonly #out: Writable;
  readonly #max: number;
  readonly #outlet: Outlet;
  #pending: Uint8Array[] = [];
  pendingBytes = 0;
  /** The first that is pending is the rest of something. */
  #isCut = false;
  #underWay = 0;
  #era = 0;
  #isDue = false;

  constructor(exchange: Exchange, out: Writable, max: number, outlet: Outlet) {
    this.#exchange = exchange;
    this.#out = out;
    this.#max = max;
    this.#outlet = outlet;
  }

  get buffered(): number { return this.pendingBytes + this.#out.writableLength; }

  write(chunk: string | Uint8Array): void {
    if (this.#exchange.destroyed) return;
    const bytes = typeof chunk === "string" ? this.#outlet.encode(chunk) : chunk;
    if (bytes.length === 0) return;
    this.#pending.push(bytes);
    this.pendingBytes += bytes.length;
    if (this.#isDue) this.#outlet.dueBytes += bytes.length;
    if (this.buffered > this.#max) this.#exchange.destroy();
    else this.#due();
  }

  drop(): void {
    const kept = this.#isCut ? this.#pending.slice(0, 1) : [], bytes = kept[0]?.length ?? 0;
    if (this.#isDue) this.#outlet.dueBytes -= this.pendingBytes - bytes;
    this.#pending = kept;
    this.pendingBytes = bytes;
  }

  end(): void {
    if (this.#isDue) this.#outlet.dueBytes -= this.pendingBytes;
    this.#hand(Infinity, undefined);
    if (!this.#exchange.destroyed) this.#out.end();
  }

  /** Hands over at most `max` bytes of what was written; tells how many. Nothing more until they are taken: what comes meanwhile goes out in one piece. */
  flush(max: number, era: number): number {
    this.#isDue = false;
    if (this.#underWay > 0) return 0;
    const bytes = this.#hand(max, this.#taken);
    this.#underWay = bytes;
    this.#era = era;
    return bytes;
  }

  readonly #taken = (): void => {
    const bytes = this.#underWay;
    this.#underWay = 0;
    this.#due();
    this.#outlet.taken(bytes, this.#era);
  };

  #due(): void {
    if (this.#isDue || this.#underWay > 0 || this.#pending.length === 0) return;
    this.#isDue = true;
    this.#outlet.add(this);
  }

  #hand(max: number, taken: (() => void) | undefined): number {
    const pending = this.#pending;
    if (this.#exchange.destroyed || this.#out.writableEnded || pending.length === 0) {
      this.#pending = [];
      this.pendingBytes = 0;
      return 0;
    }
    let bytes = 0, next = 0;
    while (next < pending.length && bytes < max && pending[next]!.length <= Math.max(max - bytes, wholeBytes)) bytes += pending[next++]!.length;
    const part = next < pending.length && bytes < max ? pending[next]!.subarray(0, max - bytes) : undefined;
    this.#isCut = part !== undefined;
    const last = part ?? pending[next - 1]!;
    const whole = part === undefined ? next - 1 : next;
    if (whole > 0) this.#out.cork();
    for (let i = 0; i < whole; i++) this.#out.write(pending[i]!);
    this.#out.write(last, taken);
    if (whole > 0) this.#out.uncork();
    if (part !== undefined) {
      bytes += part.length;
      pending[next] = pending[next]!.subarray(part.length);
    }
    this.#pending = next === pending.length ? [] : pending.slice(next);
    this.pendingBytes -= bytes;
    return bytes;
  }
}

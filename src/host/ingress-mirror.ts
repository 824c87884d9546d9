/** Copies of requests: they go beside the request, with its body as it comes; nothing waits for them and their answers are thrown away. */
import type { Forward, Router } from "../ingress/router.ts";
import type { BackendPool, Receiver } from "./ingress-backend.ts";

/** Copies under way at once: more are left out. What a copy's backend has not taken yet of a body: one that is slower is given up. */
export const mirrorLimits = { copies: 100, waitingBytes: 1 << 20 } as const;
const keptMs = 1_000;

/** Where a copy goes once there is a connection. */
export type Sink = {
  write(part: Buffer): void;
  /** Bytes that have not been sent yet. */
  readonly waiting: () => number;
  end(): void;
  drop(): void;
};

export class Copy {
  #parts: Buffer[] = [];
  #bytes = 0;
  #isWhole = false;
  #isOver = false;
  #sink: Sink | undefined;
  readonly #over: () => void;
  constructor(over: () => void) {
    this.#over = over;
  }

  body(part: Buffer): void {
    if (this.#isOver) return;
    if (this.#sink) this.#sink.write(part);
    else {
      this.#parts.push(part);
      this.#bytes += part.length;
    }
    if ((this.#sink?.waiting() ?? this.#bytes) > mirrorLimits.waitingBytes) this.drop();
  }
  /** The request is out as a whole. */
  whole(): void {
    this.#isWhole = true;
    if (!this.#isOver) this.#sink?.end();
  }
  open(sink: Sink): void {
    if (this.#isOver) return sink.drop();
    this.#sink = sink;
    for (const part of this.#parts) sink.write(part);
    this.#parts = [];
    if (this.#isWhole) sink.end();
  }
  /** The request was cut, or the copy cannot keep up. */
  drop(): void {
    if (this.#isOver) return;
    this.finished();
    this.#sink?.drop();
  }
  /** Answered, or its backend is gone. */
  finished(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts = [];
    this.#over();
  }
}

export class Mirrors {
  readonly #router: Router;
  readonly #pool: BackendPool;
  readonly #random: () => number;
  #underWay = 0;
  constructor(router: Router, pool: BackendPool, random: () => number) {
    this.#router = router;
    this.#pool = pool;
    this.#random = random;
  }

  /** The copies that this request is to have, and where each goes. */
  pick(forward: Forward): readonly { readonly copy: Copy; readonly endpoint: string; readonly secure: boolean }[] {
    return (forward.route.filters?.mirrors ?? []).flatMap(({ backend, secure, numerator, denominator }) => {
      const endpoint = this.#router.mirror(backend);
      if (endpoint === undefined || this.#underWay >= mirrorLimits.copies || this.#random() * denominator >= numerator) return [];
      this.#underWay++;
      return [{ copy: new Copy(() => { this.#underWay--; }), endpoint, secure }];
    });
  }

  /** Over HTTP/1.1. `head` is the request's, as its own backend gets it. */
  start(forward: Forward, head: string): readonly Copy[] {
    const { connectMs, readMs } = forward.route.options;
    return this.pick(forward).map(({ copy, endpoint, secure }) => {
      const connection = this.#pool.take(endpoint, secure, keptMs) ?? this.#pool.open(endpoint, secure, connectMs);
      const begin = (): void => {
        connection.send(head, readMs);
        copy.open({ write: part => { connection.send(part, readMs); }, waiting: () => connection.socket.writableLength, end: () => connection.sentAll(), drop: () => connection.drop() });
      };
      connection.take(receiver(copy, head, begin));
      if (connection.isConnected) begin();
      return copy;
    });
  }
}

function receiver(copy: Copy, head: string, connected: () => void): Receiver {
  const nothing = (): void => undefined;
  const over = (): void => copy.finished();
  return { method: head.slice(0, head.indexOf(" ")), framedChunks: false, holds: false, joins: false, connected, head: nothing, early: nothing, bytes: nothing, end: over, joined: nothing, gone: over, drained: nothing };
}

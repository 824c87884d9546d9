/**
 * API priority and fairness: every request falls under a flow schema, takes seats of its priority level, and waits or is refused where none are free.
 * One thread serves all, so seats that were used come back at the end of the turn of the event loop: a flood that arrives in one turn is held to
 * its level's seats and everybody else's requests are read before its next ones run.
 */
import type { Clock } from "../../base/clock.ts";
import type { Store } from "../../store/store.ts";
import type { User } from "../context.ts";
import type { HttpRequest, HttpResponse } from "../http.ts";
import { requestTimeoutMs, timeoutOf } from "../limits.ts";
import type { RequestInfo } from "../request-info.ts";
import { sendPlain } from "../respond.ts";
import { dump, type About } from "./dump.ts";
import { Levels, type Flow } from "./levels.ts";
import { flowGroup, type LevelObject, type SchemaObject } from "./objects.ts";
import { Ticket } from "./queues.ts";
import { seatsOf, WatchCounts, type Stored, type WorkFacts } from "./work.ts";

const prefix = `/registry/${flowGroup}/`;
/** Objects looked at to know how big a resource's are, and how long the answer holds. */
const sampleMax = 32;
const sampleMs = 1_000;
/** Waiting ends after this part of the time that the request has. */
const waitPart = 0.25;
/** From this many seats on, an answer in pieces keeps them until its last piece is taken. */
const heldSeatsMin = 2;

export type FlowControlOptions = {
  readonly clock: Clock;
  readonly store: Store;
  /** 8 bytes or more, the same for the same text. */
  readonly hash: (text: string) => Uint8Array;
  /** Store prefix of a resource, if it is served. */
  readonly prefixOf: (group: string, resource: string) => string | undefined;
  /** Calls back after what has arrived by now has been read: `setImmediate`. Absent: at once. */
  readonly defer?: (work: () => void) => void;
};

export class FlowControl {
  readonly levels: Levels;
  readonly #options: FlowControlOptions;
  readonly #clock: Clock;
  readonly #watches = new WatchCounts();
  readonly #samples = new Map<string, Stored & { readonly atMs: number }>();
  readonly #facts: WorkFacts = { stored: info => this.#stored(info), watches: info => this.#watches.of(info) };
  #left: Ticket<About>[] = [];

  constructor(options: FlowControlOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.levels = new Levels(options.hash, this.#clock.monotonic());
    this.#follow(options.store);
  }

  /** Carries `work` out in its turn, or answers 429. `trail.flow` says how the request was classified. */
  run(request: HttpRequest, info: RequestInfo, user: User, trail: { flow?: Flow; elsewhereMs?: number; terminated?: true }, work: () => Promise<HttpResponse>): Promise<HttpResponse> {
    const nowMs = this.#clock.monotonic();
    this.levels.adjust(nowMs);
    const flow = this.levels.matcher.match(user, info);
    trail.flow = flow;
    const { level, figures } = flow;
    const seats = seatsOf(info, level.seatsMax, this.#facts);
    figures.seats.add(seats);
    const distinguisher = level.dealer === undefined || flow.distinguish === "" ? "" : flow.distinguish === "ByUser" ? user.name : info.namespace;
    const ticket = new Ticket<About>({ flow, distinguisher, info, user }, seats);
    const outcome = level.queues.start(ticket, level.dealer?.hand(flow.name, distinguisher) ?? [], nowMs);
    if (outcome === "runs") {
      if (level.spec.type !== "Exempt") figures.waited.true.add(0);
      return this.#carry(ticket, request, work);
    }
    if (outcome === "waits") return this.#wait(ticket, request, trail, work);
    figures.refused(outcome);
    trail.terminated = true;
    return Promise.resolve(this.#refuse(flow));
  }

  /** A table of what is going on; `undefined`: there is none of that name. */
  dump(name: string, details: boolean): string | undefined {
    const offset = this.#clock.now() - this.#clock.monotonic();
    return dump(name, details, this.levels.all, ms => ms + offset);
  }

  async #wait(ticket: Ticket<About>, request: HttpRequest, trail: { elsewhereMs?: number; terminated?: true }, work: () => Promise<HttpResponse>): Promise<HttpResponse> {
    const { flow, info } = ticket.about;
    const { level, figures } = flow;
    figures.waiting++;
    figures.seatsWaiting += ticket.seats;
    figures.queueLength.add(ticket.queue?.waiting.size ?? 0);
    const outcome = await new Promise<"runs" | "time-out" | "gone">(resolve => {
      const end = (why: "time-out" | "gone"): void => {
        if (level.queues.cancel(ticket, why, this.#clock.monotonic())) settle(why);
      };
      const gone = (): void => end("gone");
      const stop = this.#clock.after((info.verb === "watch" ? requestTimeoutMs : timeoutOf(info.query)) * waitPart, () => end("time-out"));
      const settle = (how: "runs" | "time-out" | "gone"): void => {
        stop();
        request.signal.removeEventListener("abort", gone);
        resolve(how);
      };
      ticket.go = () => settle("runs");
      request.signal.addEventListener("abort", gone, { once: true });
      if (request.signal.aborted) gone();
    });
    figures.waiting--;
    figures.seatsWaiting -= ticket.seats;
    const waitedS = (this.#clock.monotonic() - ticket.arrivedMs) / 1000;
    figures.waited[outcome === "runs" ? "true" : "false"].add(waitedS);
    trail.elsewhereMs = (trail.elsewhereMs ?? 0) + waitedS * 1000;
    if (outcome === "runs") return this.#carry(ticket, request, work);
    figures.refused("time-out");
    trail.terminated = true;
    return this.#refuse(flow);
  }

  async #carry(ticket: Ticket<About>, request: HttpRequest, work: () => Promise<HttpResponse>): Promise<HttpResponse> {
    const { figures } = ticket.about.flow;
    figures.dispatched++;
    figures.executing++;
    figures.seatsInUse += ticket.seats;
    let response: HttpResponse;
    try {
      response = await work();
    } catch (error) {
      this.#leave(ticket);
      throw error;
    }
    const { content } = response;
    if (content.type === "stream" && ticket.about.info.verb === "watch") {
      this.#leave(ticket);
      return { ...response, content: { type: "stream", run: this.#counted(ticket.about.info, content.run) } };
    }
    if (content.type !== "pieces" || ticket.seats < heldSeatsMin || request.method === "HEAD") {
      this.#leave(ticket);
      return response;
    }
    return { ...response, content: { type: "pieces", pieces: this.#held(ticket, request, content.pieces) } };
  }

  /** Keeps the seats while the pieces are being taken; not after the client is gone, and no longer than a request may last. */
  #held(ticket: Ticket<About>, request: HttpRequest, pieces: Iterable<string>): Iterable<string> {
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      stop();
      request.signal.removeEventListener("abort", release);
      this.#leave(ticket);
    };
    const stop = this.#clock.after(requestTimeoutMs, release);
    request.signal.addEventListener("abort", release, { once: true });
    if (request.signal.aborted) release();
    return (function* () {
      try {
        yield* pieces;
      } finally {
        release();
      }
    })();
  }

  #counted<Out, Signal>(info: RequestInfo, run: (out: Out, signal: Signal) => Promise<void>): (out: Out, signal: Signal) => Promise<void> {
    return async (out, signal) => {
      this.#watches.add(info, 1);
      try {
        await run(out, signal);
      } finally {
        this.#watches.add(info, -1);
      }
    };
  }

  #leave(ticket: Ticket<About>): void {
    const { flow, info } = ticket.about;
    ticket.leftMs = this.#clock.monotonic();
    flow.figures.executed[info.verb === "watch" ? "watch" : "regular"].add((ticket.leftMs - ticket.startedMs) / 1000);
    const { defer } = this.#options;
    if (defer === undefined) return this.#release(ticket);
    if (this.#left.push(ticket) === 1) defer(() => this.#releaseAll());
  }
  #releaseAll(): void {
    const left = this.#left;
    this.#left = [];
    for (const ticket of left) this.#release(ticket);
  }
  #release(ticket: Ticket<About>): void {
    const { level, figures } = ticket.about.flow;
    figures.executing--;
    figures.seatsInUse -= ticket.seats;
    level.queues.finish(ticket, this.#clock.monotonic());
    if (level.quiescing && level.queues.idle) this.#configure();
  }

  #refuse({ level }: Flow): HttpResponse {
    level.retryAfter.refused(this.#clock.now());
    return sendPlain(429, "Too many requests, please try again later.\n", { "retry-after": String(level.retryAfter.seconds) });
  }

  #stored({ group, resource }: RequestInfo): Stored | undefined {
    const at = this.#options.prefixOf(group, resource);
    if (at === undefined) return undefined;
    const known = this.#samples.get(at);
    const nowMs = this.#clock.monotonic();
    if (known !== undefined && nowMs - known.atMs < sampleMs) return known;
    const { entries } = this.#options.store.list(at, { limit: sampleMax });
    const sample = { count: this.#options.store.count(at), averageBytes: entries.length === 0 ? 0 : entries.reduce((sum, { value }) => sum + value.length, 0) / entries.length, atMs: nowMs };
    this.#samples.set(at, sample);
    return sample;
  }

  #follow(store: Store): void {
    const { revision } = store.list(prefix);
    this.#configure();
    const watch = store.watch(prefix, revision, ({ changes }) => {
      if (changes.some(change => change.type === "delete" || specOf(change.entry.value) !== (change.previous === undefined ? undefined : specOf(change.previous.value)))) this.#configure();
    });
    if ("compacted" in watch) throw new Error("the store forgot its newest revision");
  }
  #configure(): void {
    const stored = <T>(plural: string): readonly T[] => this.#options.store.list(`${prefix}${plural}/`).entries.map(entry => JSON.parse(entry.value) as T);
    this.levels.configure(stored<LevelObject>("prioritylevelconfigurations"), stored<SchemaObject>("flowschemas"), this.#clock.monotonic());
  }
}

/** What counts of a change; a status, an annotation do not. */
const specOf = (value: string): string => JSON.stringify((JSON.parse(value) as { readonly spec?: unknown }).spec);

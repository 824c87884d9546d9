/**
 * One priority level's requests: which run, which wait, which are refused (apiserver pkg/util/flowcontrol/fairqueuing/queueset). Fair queuing over
 * virtual time: R advances as fast as each busy queue is served; the queue whose next request would end first in that time goes next. Time is a parameter.
 */
import { must } from "../../base/assert.ts";
import { InFlight } from "../../base/in-flight.ts";
import { Demand } from "./demand.ts";

/** How long a request is taken to run before it is known. */
const serviceMs = 3;

/** `queues` below 0: nobody is limited; 0: what does not fit is refused; else the number of queues. */
export type QueueConfig = { readonly queues: number; readonly handSize: number; readonly lengthMax: number };
export type Refusal = "concurrency-limit" | "queue-full" | "time-out";

export class Queue {
  readonly waiting = new Set<Ticket>();
  executing = 0;
  seatsInUse = 0;
  /** Sum of what waits: seats, and seats × ms. */
  seatsWaiting = 0;
  workWaiting = 0;
  /** R at which its next request starts. */
  nextR = 0;
}

/** A request at its level. `T` is what the owner wants to know of it. */
export class Ticket<T = unknown> {
  readonly about: T;
  readonly seats: number;
  place = -1;
  arrivedMs = 0;
  arrivalR = 0;
  startedMs = 0;
  /** When it gave its seats back; they are free for others at `finish`. */
  leftMs = 0;
  queue: Queue | undefined;
  waits = false;
  /** Called once when its turn has come, if it had to wait. */
  go: (() => void) | undefined;

  constructor(about: T, seats: number) {
    this.about = about;
    this.seats = seats;
  }
}

export class Queues {
  readonly demand: Demand;
  readonly executing = new InFlight<Ticket>();
  dispatched = 0;
  rejected = 0;
  timedOut = 0;
  cancelled = 0;
  seatsInUse = 0;
  seatsWaiting = 0;
  waiting = 0;
  /** Times when seats were free, but not enough for the request whose turn it was. */
  noRoom = 0;
  readonly #queues: Queue[] = [];
  #config: QueueConfig = { queues: 0, handSize: 0, lengthMax: 0 };
  #limit = 0;
  #r = 0;
  #rAtMs: number;
  #busy = 0;
  #robin = 0;
  #enqueues = 0;

  constructor(nowMs: number) {
    this.#rAtMs = nowMs;
    this.demand = new Demand(nowMs);
  }

  get queues(): readonly Queue[] { return this.#queues; }
  get limit(): number { return this.#limit; }
  get idle(): boolean { return this.waiting === 0 && this.executing.size === 0; }

  /** Takes effect at once: queues that are no longer wanted serve what is in them. */
  configure(config: QueueConfig, limit: number, nowMs: number): void {
    this.#advance(nowMs);
    this.#config = config;
    this.#limit = limit;
    while (this.#queues.length < config.queues) this.#queues.push(new Queue());
    this.#trim();
    this.#dispatch(nowMs);
  }

  /** `hand`: indexes of the queues that the request's flow may use; not asked for where there are none. */
  start(ticket: Ticket, hand: readonly number[], nowMs: number): "runs" | "waits" | Refusal {
    this.#advance(nowMs);
    ticket.arrivedMs = nowMs;
    ticket.arrivalR = this.#r;
    if (this.#config.queues < 1) {
      if (!this.#fits(ticket.seats)) return this.#refuse("concurrency-limit");
      this.#run(ticket, undefined, nowMs);
      return "runs";
    }
    const queue = this.#choose(hand);
    if (this.seatsInUse >= this.#limit && queue.waiting.size >= this.#config.lengthMax) return this.#refuse("queue-full");
    if (queue.waiting.size === 0 && queue.executing === 0) {
      queue.nextR = this.#r;
      this.#busy++;
    }
    if (this.waiting === 0 && this.seatsInUse < this.#limit && this.#fits(ticket.seats)) {
      queue.nextR = Math.max(queue.nextR, ticket.arrivalR);
      this.#run(ticket, queue, nowMs);
      return "runs";
    }
    this.#enqueue(ticket, queue, nowMs);
    this.#dispatch(nowMs);
    return ticket.waits ? "waits" : "runs";
  }

  /** The request is over and others may have its seats. */
  finish(ticket: Ticket, nowMs: number): void {
    this.#advance(nowMs);
    this.executing.delete(ticket);
    this.seatsInUse -= ticket.seats;
    const { queue } = ticket;
    if (queue !== undefined) {
      queue.executing--;
      queue.seatsInUse -= ticket.seats;
      // It was charged for the time that it was expected to take.
      queue.nextR -= ticket.seats * (serviceMs - (ticket.leftMs - ticket.startedMs));
      this.#bound(queue);
      if (queue.executing === 0 && queue.waiting.size === 0) this.#emptied();
    }
    this.#note(nowMs);
    this.#dispatch(nowMs);
  }

  /** A waiting request gives up: its time is over, or its client is gone. False if it no longer waits. */
  cancel(ticket: Ticket, why: "time-out" | "gone", nowMs: number): boolean {
    if (!ticket.waits) return false;
    this.#advance(nowMs);
    this.#unqueue(ticket);
    const queue = must(ticket.queue, "a waiting request is in a queue");
    if (queue.waiting.size === 0 && queue.executing === 0) this.#emptied();
    else this.#bound(queue);
    this.rejected++;
    if (why === "time-out") this.timedOut++;
    this.cancelled++;
    this.#note(nowMs);
    this.#dispatch(nowMs);
    return true;
  }

  #refuse(why: Refusal): Refusal {
    this.rejected++;
    return why;
  }

  #advance(nowMs: number): void {
    const ms = nowMs - this.#rAtMs;
    if (ms <= 0) return;
    this.#rAtMs = nowMs;
    if (this.#busy > 0) this.#r += (ms * Math.min(this.seatsInUse + this.seatsWaiting, this.#limit)) / this.#busy;
  }

  #fits(seats: number): boolean {
    if (this.#config.queues < 0) return true;
    // Wider than the whole level: then it must be alone.
    return seats > this.#limit ? this.executing.size === 0 : this.seatsInUse + seats <= this.#limit;
  }

  /** The queue of the hand with the least work waiting; among equals they take turns. */
  #choose(hand: readonly number[]): Queue {
    const offset = this.#enqueues++ % hand.length;
    let best: Queue | undefined;
    for (let i = 0; i < hand.length; i++) {
      const queue = this.#queues[hand[(offset + i) % hand.length]!]!;
      if (queue.workWaiting === 0) return queue;
      if (best === undefined || queue.workWaiting < best.workWaiting) best = queue;
    }
    return must(best, "a hand has at least one queue");
  }

  #enqueue(ticket: Ticket, queue: Queue, nowMs: number): void {
    ticket.queue = queue;
    ticket.waits = true;
    queue.waiting.add(ticket);
    queue.seatsWaiting += ticket.seats;
    queue.workWaiting += ticket.seats * serviceMs;
    this.waiting++;
    this.seatsWaiting += ticket.seats;
    this.#bound(queue);
    this.#note(nowMs);
  }

  #unqueue(ticket: Ticket): void {
    const queue = must(ticket.queue, "a waiting request is in a queue");
    ticket.waits = false;
    queue.waiting.delete(ticket);
    queue.seatsWaiting -= ticket.seats;
    queue.workWaiting -= ticket.seats * serviceMs;
    this.waiting--;
    this.seatsWaiting -= ticket.seats;
  }

  #run(ticket: Ticket, queue: Queue | undefined, nowMs: number): void {
    ticket.startedMs = nowMs;
    ticket.queue = queue;
    this.dispatched++;
    this.executing.add(ticket);
    this.seatsInUse += ticket.seats;
    if (queue !== undefined) {
      queue.executing++;
      queue.seatsInUse += ticket.seats;
      queue.nextR += ticket.seats * serviceMs;
      this.#bound(queue);
    }
    this.#note(nowMs);
  }

  #dispatch(nowMs: number): void {
    while (this.waiting > 0 && this.seatsInUse < this.#limit) {
      const queue = this.#next();
      const [ticket] = queue.waiting;
      if (!this.#fits(must(ticket, "the chosen queue has a request").seats)) return void this.noRoom++;
      this.#unqueue(ticket!);
      this.#run(ticket!, queue, nowMs);
      ticket!.go?.();
    }
  }

  /** The queue whose oldest request would end first in virtual time; looked for from where the last one was found. */
  #next(): Queue {
    let [best, bestEnd, bestIndex]: [Queue | undefined, number, number] = [undefined, Infinity, 0];
    const count = this.#queues.length;
    for (let i = 1; i <= count; i++) {
      const index = (this.#robin + i) % count;
      const queue = this.#queues[index]!;
      const [oldest] = queue.waiting.size === 0 ? [] : queue.waiting;
      if (oldest === undefined) continue;
      const end = queue.nextR + oldest.seats * serviceMs;
      if (end < bestEnd) [best, bestEnd, bestIndex] = [queue, end, index];
    }
    this.#robin = bestIndex;
    return must(best, "somebody waits");
  }

  /** A queue saves nothing up while it is empty: its next request starts no earlier than it came. */
  #bound(queue: Queue): void {
    const [oldest] = queue.waiting.size === 0 ? [] : queue.waiting;
    if (oldest !== undefined && queue.nextR < oldest.arrivalR) queue.nextR = oldest.arrivalR;
  }

  #emptied(): void {
    this.#busy--;
    this.#trim();
  }
  #trim(): void {
    for (let last = this.#queues.at(-1); last !== undefined && this.#queues.length > this.#config.queues && last.executing === 0 && last.waiting.size === 0; last = this.#queues.at(-1)) this.#queues.pop();
  }
  #note(nowMs: number): void {
    this.demand.set(this.seatsInUse + this.seatsWaiting, nowMs);
  }
}

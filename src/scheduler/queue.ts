/**
 * The pods that have no node: ready ones in order of priority and age, ones that rest after a failure, and ones that wait
 * until something happens that may help them. Nothing is tried again on a mere suspicion (scheduler/backend/queue).
 */
import type { Clock } from "../base/clock.ts";
import { sameJson } from "../base/json.ts";
import type { ClusterEvent } from "./cluster-event.ts";
import { filters } from "./filters/index.ts";
import { Heap } from "./heap.ts";
import type { PodInfo } from "./pod-info.ts";

/** First and longest rest (DefaultPodInitialBackoffDuration, DefaultPodMaxBackoffDuration). */
const restMs = 1_000, restMaxMs = 10_000;
/** However little happens, no pod waits longer than this for another try (DefaultPodMaxInUnschedulablePodsDuration). */
const waitMaxMs = 5 * 60_000;

type State = "ready" | "resting" | "waiting" | "taken";
export class QueuedPod {
  info: PodInfo;
  state: State = "waiting";
  /** When it came to where it is now. */
  since: number;
  /** Counted up each time it changes place: what a heap holds under another number is out of date. */
  ticket = 0;
  failures = 0;
  /** Whether the last failure was the world's rather than the cluster's lack of room: then it rests to the end. */
  failedByError = false;
  restUntil = 0;
  rejectedBy: ReadonlySet<string> = new Set();
  constructor(info: PodInfo, since: number) {
    this.info = info;
    this.since = since;
  }
  /** Held back by its owner: not even tried. */
  get isGated(): boolean {
    return (this.info.pod.spec.schedulingGates?.length ?? 0) > 0;
  }
}
type Entry = { readonly pod: QueuedPod; readonly ticket: number };

export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #pods = new Map<string, QueuedPod>();
  readonly #waiting = new Set<QueuedPod>();
  readonly #ready = new Heap<Entry>((a, b) => b.pod.info.priority - a.pod.info.priority || a.pod.since - b.pod.since || a.ticket - b.ticket);
  readonly #resting = new Heap<Entry>((a, b) => a.pod.restUntil - b.pod.restUntil || a.ticket - b.ticket);
  #tickets = 0;
  #wake: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerAt = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }
  get size(): number {
    return this.#pods.size;
  }
  has(uid: string): boolean {
    return this.#pods.has(uid);
  }

  /** A pod that needs a node. */
  add(info: PodInfo): void {
    const pod = new QueuedPod(info, this.#clock.now());
    this.#pods.set(info.uid, pod);
    if (pod.isGated) this.#wait(pod);
    else this.#makeReady(pod);
  }
  /** The pod has changed; if that can matter to scheduling, it is tried again. */
  update(info: PodInfo): void {
    const pod = this.#pods.get(info.uid);
    if (pod === undefined) return this.add(info);
    const before = pod.info, wasGated = pod.isGated;
    pod.info = info;
    if (pod.state !== "waiting" || pod.isGated) return;
    if (wasGated) this.#makeReady(pod);
    else if (!sameJson(before.pod.spec, info.pod.spec) || !sameJson(before.labels, info.labels)) this.#tryAgain(pod);
  }
  delete(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    this.#move(pod, "taken");
    this.#pods.delete(uid);
  }

  /** The most important ready pod; when none is, one that rests but need not. The caller gives it back or deletes it. */
  take(): QueuedPod | undefined {
    this.#endRests();
    const entry = this.#next(this.#ready) ?? this.#nextEarly();
    if (entry !== undefined) this.#move(entry.pod, "taken");
    return entry?.pod;
  }
  /** It fits nowhere: it waits until something happens that may change the mind of those who rejected it. */
  fail(pod: QueuedPod, rejectedBy: ReadonlySet<string>): void {
    if (!this.#pods.has(pod.info.uid)) return;
    pod.failures++;
    pod.failedByError = false;
    pod.rejectedBy = rejectedBy;
    this.#wait(pod);
  }
  /** Something went wrong: it is tried again after a rest. */
  retry(pod: QueuedPod): void {
    if (!this.#pods.has(pod.info.uid)) return;
    pod.failures++;
    pod.failedByError = true;
    pod.since = this.#clock.now();
    this.#tryAgain(pod);
  }
  /** Something has happened: pods that it may help come out of waiting. */
  notify(event: ClusterEvent): void {
    for (const pod of [...this.#waiting]) {
      if (pod.isGated) continue;
      if (pod.rejectedBy.size === 0 || filters.some(filter => pod.rejectedBy.has(filter.name) && filter.wakes(event, pod.info))) this.#tryAgain(pod);
    }
  }
  /** Resolves when there may be a pod to take, or `signal` aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#next(this.#ready, true) !== undefined || this.#nextEarly(true) !== undefined) return;
    await new Promise<void>(resolve => {
      const done = (): void => {
        this.#wake = undefined;
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener("abort", done, { once: true });
    });
  }
  /** Stops its timer. */
  close(): void {
    this.#cancelTimer?.();
  }

  #move(pod: QueuedPod, state: State): void {
    if (pod.state === "waiting") this.#waiting.delete(pod);
    pod.state = state;
    pod.ticket = ++this.#tickets;
  }
  #makeReady(pod: QueuedPod): void {
    this.#move(pod, "ready");
    this.#ready.push({ pod, ticket: pod.ticket });
    this.#wake?.();
  }
  #wait(pod: QueuedPod): void {
    this.#move(pod, "waiting");
    pod.since = this.#clock.now();
    this.#waiting.add(pod);
    if (!pod.isGated) this.#timer(pod.since + waitMaxMs);
  }
  /** Ready, once it has rested: for a second after its first failure, twice as long after each further one. */
  #tryAgain(pod: QueuedPod): void {
    const rest = pod.failures === 0 ? 0 : Math.min(restMs * 2 ** (pod.failures - 1), restMaxMs);
    pod.restUntil = pod.since + rest;
    if (pod.restUntil <= this.#clock.now()) return this.#makeReady(pod);
    this.#move(pod, "resting");
    this.#resting.push({ pod, ticket: pod.ticket });
    this.#timer(pod.restUntil);
    this.#wake?.();
  }
  #endRests(): void {
    const now = this.#clock.now();
    for (let entry = this.#next(this.#resting, true); entry !== undefined && entry.pod.restUntil <= now; entry = this.#next(this.#resting, true)) {
      this.#resting.pop();
      this.#makeReady(entry.pod);
    }
    for (const pod of this.#waiting) {
      if (pod.since + waitMaxMs > now) break;
      if (!pod.isGated) this.#tryAgain(pod);
    }
  }
  /** With nothing better to do, a pod that was only refused does not have to rest (SchedulerPopFromBackoffQ). */
  #nextEarly(peek = false): Entry | undefined {
    const entry = this.#next(this.#resting, true);
    if (entry === undefined || entry.pod.failedByError) return undefined;
    return peek ? entry : this.#next(this.#resting);
  }
  #next(heap: Heap<Entry>, peek = false): Entry | undefined {
    for (let entry = heap.peek(); entry !== undefined; entry = heap.peek()) {
      const current = entry.ticket === entry.pod.ticket;
      if (!current || !peek) heap.pop();
      if (current) return entry;
    }
    return undefined;
  }

  #timer(at: number): void {
    if (at >= this.#timerAt) return;
    this.#cancelTimer?.();
    this.#timerAt = at;
    this.#cancelTimer = this.#clock.after(Math.max(at - this.#clock.now(), 0), () => {
      this.#timerAt = Infinity;
      this.#endRests();
      this.#wake?.();
      const next = Math.min(this.#next(this.#resting, true)?.pod.restUntil ?? Infinity, this.#oldestWait());
      if (next < Infinity) this.#timer(next);
    });
  }
  #oldestWait(): number {
    for (const pod of this.#waiting) if (!pod.isGated) return pod.since + waitMaxMs;
    return Infinity;
  }
}

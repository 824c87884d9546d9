import { ApiError, isApiError } from "../base/api-error.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { timeOf } from "../base/time.ts";
import { Event } from "../kinds/core/event.ts";
import type { AnyKind, New, Resource } from "../kinds/kind.ts";
import type { Client } from "./client.ts";
import { EventCorrelator, type Draft } from "./event-correlator.ts";

/** Events waiting to be written; more are dropped with a line in the log (client-go: maxQueuedEvents). */
const queuedMax = 1_000;
const triesMax = 12;
const retryWaitMs = 10_000;

/** What an event is about. `fieldPath` names a part, such as `spec.containers{web}`. */
export type Involved = Pick<Resource<AnyKind>, "apiVersion" | "kind" | "metadata"> & { readonly fieldPath?: string };

export type RecorderOptions = { readonly component: string; readonly host?: string; readonly client: Client; readonly clock: Clock; readonly random: Random; readonly log: Log };

/**
 * Tells users what a component did, as core/v1 Events: at once for the caller, in order, never failing. Repeated and similar events
 * are counted in one object and too many are held back, by the rules of client-go tools/record.
 */
export class EventRecorder {
  readonly #options: RecorderOptions;
  readonly #correlator: EventCorrelator;
  readonly #queue: Draft[] = [];
  readonly #life = new AbortController();
  #writing = false;
  #lastStamp = 0n;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#correlator = new EventCorrelator(options.clock, (name, now) => this.#nameFor(name, now));
  }
  event(object: Involved, type: "Normal" | "Warning", reason: string, message: string): void {
    if (this.#life.signal.aborted) return;
    if (this.#queue.length >= queuedMax) {
      this.#options.log.warn("too many events wait to be written, one is dropped", { reason, object: object.metadata.name });
      return;
    }
    const { component, host = "", clock } = this.#options;
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const now = clock.now();
    this.#queue.push({
      name: this.#nameFor(name, now), namespace: namespace === undefined || namespace === "" ? "default" : namespace,
      involvedObject: {
        kind: object.kind, ...(namespace === undefined || namespace === "" ? {} : { namespace }), name, uid, apiVersion: object.apiVersion,
        ...(resourceVersion === undefined ? {} : { resourceVersion }), ...(object.fieldPath === undefined ? {} : { fieldPath: object.fieldPath }),
      },
      reason, message, type, firstTimestamp: timeOf(now), lastTimestamp: timeOf(now), count: 1,
      source: { component, ...(host === "" ? {} : { host }) }, reportingComponent: component, reportingInstance: host,
    });
    if (!this.#writing) void this.#write();
  }
  /** Stops writing; what still waits is lost, as it would be if the process ended. */
  close(): void {
    this.#life.abort();
    this.#queue.length = 0;
  }

  async #write(): Promise<void> {
    this.#writing = true;
    for (let draft = this.#queue.shift(); draft !== undefined; draft = this.#queue.shift()) {
      const event = this.#correlator.correlate(draft);
      if (event !== undefined) await this.#send(event);
    }
    this.#writing = false;
  }
  async #send(event: Draft): Promise<void> {
    const { clock, random, log } = this.#options;
    for (let tries = 1; !this.#life.signal.aborted; tries++)
      try {
        this.#correlator.written(event, await this.#record(event));
        return;
      } catch (error) {
        // The server has answered: sending the same again would get the same answer.
        if (error instanceof ApiError && error.code < 500) {
          if (error.reason !== "AlreadyExists" && error.details?.causes?.every(cause => cause.reason !== "NamespaceTerminating") !== false)
            log.warn("the server refused an event", { reason: event.reason, error: error.message });
          return;
        }
        if (tries >= triesMax) {
          log.warn("an event could not be written", { reason: event.reason, error: messageOf(error) });
          return;
        }
        await clock.sleep(tries === 1 ? retryWaitMs * random.next() : retryWaitMs, this.#life.signal);
      }
  }
  async #record(event: Draft): Promise<string> {
    const { client } = this.#options;
    if (event.count > 1)
      try {
        const body: Json = { count: event.count, lastTimestamp: event.lastTimestamp, message: event.message };
        return (await client.patch(Event, event.namespace, event.name, { type: "strategic", body })).metadata.name;
      } catch (error) {
        // Expired (an hour after its last change): write it anew, with its count.
        if (!isApiError(error, "NotFound")) throw error;
      }
    const { name, namespace, ...rest } = event;
    const object: New<typeof Event> = { metadata: { name, namespace }, ...rest };
    return (await client.create(Event, object)).metadata.name;
  }
  /** Upstream's `<name>.<nanoseconds in hex>`; never the same twice. */
  #nameFor(name: string, now: number): string {
    const stamp = BigInt(Math.floor(now)) * 1_000_000n;
    this.#lastStamp = stamp > this.#lastStamp ? stamp : this.#lastStamp + 1n;
    return `${name}.${this.#lastStamp.toString(16)}`;
  }
}

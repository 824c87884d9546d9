import type { Clock } from "../base/clock.ts";
import { timeOf } from "../base/time.ts";

/** An event about to be written. */
export type Draft = {
  readonly name: string;
  readonly namespace: string;
  readonly involvedObject: { readonly kind: string; readonly namespace?: string; readonly name: string; readonly uid: string; readonly apiVersion: string; readonly resourceVersion?: string; readonly fieldPath?: string };
  readonly reason: string;
  readonly message: string;
  readonly type: "Normal" | "Warning";
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  readonly count: number;
  readonly source: { readonly component: string; readonly host?: string };
  readonly reportingComponent: string;
  readonly reportingInstance: string;
};

// All from client-go tools/record/events_cache.go.
const cacheMax = 4096;
const similarMax = 10;
const similarWithinMs = 600_000;
const burst = 25;
const refillPerMs = 1 / 300_000;

/** Decides whether an event is written, counted onto an earlier one, or held back. */
export class EventCorrelator {
  readonly #clock: Clock;
  readonly #nameFor: (object: string, now: number) => string;
  readonly #similar = new Recent<{ readonly messages: Set<string>; readonly at: number }>();
  readonly #seen = new Recent<{ readonly name: string; readonly count: number; readonly firstTimestamp: string }>();
  readonly #allowance = new Recent<{ readonly tokens: number; readonly at: number }>();

  constructor(clock: Clock, nameFor: (object: string, now: number) => string) {
    this.#clock = clock;
    this.#nameFor = nameFor;
  }
  /** The event to write (a `count` above 1 updates the one of that name), or `undefined` to keep silent. */
  correlate(draft: Draft): Draft | undefined {
    const { event, key } = this.#aggregate(draft);
    const last = this.#seen.get(key);
    const counted = last === undefined ? event : { ...event, name: last.name, firstTimestamp: last.firstTimestamp, count: last.count + 1 };
    this.#seen.set(key, counted);
    return this.#allowed(draft) ? counted : undefined;
  }
  /** Remembers the name under which the server has it. */
  written(event: Draft, name: string): void {
    this.#seen.set(eventKey(event), { ...event, name });
  }

  /** Ten different messages for one reason within ten minutes become one event. */
  #aggregate(draft: Draft): { readonly event: Draft; readonly key: string } {
    const now = this.#clock.now();
    const key = [...sourceKey(draft), draft.reason, draft.reportingComponent, draft.reportingInstance].join("\0");
    const known = this.#similar.get(key);
    const messages = known === undefined || now - known.at > similarWithinMs ? new Set<string>() : known.messages;
    messages.add(draft.message);
    this.#similar.set(key, { messages, at: now });
    if (messages.size < similarMax) return { event: draft, key: eventKey(draft) };
    for (const message of messages) {
      messages.delete(message);
      break;
    }
    const event: Draft = {
      ...draft, name: this.#nameFor(draft.involvedObject.name, now), count: 1, firstTimestamp: timeOf(now), lastTimestamp: timeOf(now),
      message: `(combined from similar events): ${draft.message}`, reportingComponent: "", reportingInstance: "",
    };
    return { event, key };
  }
  /** A source may say 25 things about an object at once, then one more every five minutes. */
  #allowed(draft: Draft): boolean {
    const key = sourceKey(draft).join("\0");
    const now = this.#clock.now();
    const known = this.#allowance.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, known.tokens + (now - known.at) * refillPerMs);
    const allowed = tokens >= 1;
    this.#allowance.set(key, { tokens: allowed ? tokens - 1 : tokens, at: now });
    return allowed;
  }
}

function sourceKey({ source, involvedObject: { kind, namespace = "", name, uid, apiVersion }, type }: Draft): readonly string[] {
  return [source.component, source.host ?? "", kind, namespace, name, uid, apiVersion, type];
}
function eventKey(event: Draft): string {
  return [...sourceKey(event), event.involvedObject.fieldPath ?? "", event.reason, event.message].join("\0");
}

/** The `cacheMax` most recently used entries. */
class Recent<T> {
  readonly #entries = new Map<string, T>();
  get(key: string): T | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }
  set(key: string, value: T): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > cacheMax) for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }
}

/** Events live for an hour (kube-apiserver --event-ttl). The store has no leases: the oldest events are looked for when they are due. */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Event } from "../kinds/core/event.ts";
import type { Store } from "../store/store.ts";
import type { Objects } from "./objects.ts";
import { prefixOf } from "./registry.ts";

export const eventTtlMs = 60 * 60_000;
/** Events that end within the same minute are removed together. */
const sweepEveryMs = 60_000;
/** Removed in one go; the rest waits for the next turn of the loop. */
const batchMax = 500;

/** Removes events an hour after they were last written, until `signal` aborts. Wakes only when one is due. */
export async function sweepEvents(store: Store, objects: Objects, clock: Clock, log: Log, signal: AbortSignal): Promise<void> {
  const prefix = prefixOf(Event);
  const written = new Map<string, number>();
  let wake: () => void = () => undefined;
  const start = store.revision;
  const now = clock.now();
  const stored = store.list(prefix).entries.map(entry => ({ key: entry.key, at: Math.min(now, lastTimeOf(objects.object(entry)) ?? now) }));
  for (const { key, at } of stored.sort((a, b) => a.at - b.at)) written.set(key, at);
  const watch = store.watch(prefix, start, ({ changes }) => {
    for (const { type, key } of changes) {
      // Insertion order is the order of expiry.
      written.delete(key);
      if (type === "put") written.set(key, clock.now());
    }
    wake();
  });
  if ("compacted" in watch) throw new Error("the store forgot its newest revision");
  const abort = (): void => wake();
  signal.addEventListener("abort", abort, { once: true });
  try {
    while (!signal.aborted) {
      const due = [...written].filter(([, at]) => at + eventTtlMs <= clock.now()).slice(0, batchMax);
      for (const [key] of due) {
        written.delete(key);
        const entry = store.get(key);
        if (entry !== undefined) await store.delete(key, entry.revision);
      }
      if (due.length > 0) log.debug("events expired", { count: due.length });
      const [first] = written.values();
      if (first === undefined) await new Promise<void>(resolve => (wake = resolve));
      else if (due.length < batchMax) await clock.sleep(Math.max(sweepEveryMs, first + eventTtlMs - clock.now()), signal);
    }
  } finally {
    watch.close();
    signal.removeEventListener("abort", abort);
  }
}

function lastTimeOf(event: any): number | undefined {
  const text: string | null | undefined = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
  return text === undefined || text === null ? undefined : Date.parse(text);
}

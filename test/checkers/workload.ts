/** Clients at work on a store that may have a bug, on a clock of their own: what they saw, for the checkers. */
import { silent } from "../../src/base/log.ts";
import { MemoryDisk, MemoryEngine } from "../../src/store/memory.ts";
import { RevisionedStore } from "../../src/store/revisioned-store.ts";
import type { Batch, Store } from "../../src/store/store.ts";
import { seeded } from "../crash/workload.ts";
import { ManualClock } from "../store/manual-clock.ts";
import type { LogRecord, Operation } from "./history.ts";
import type { WatchEvent, WatchSession } from "./watch.ts";

export type Page = { readonly entries: readonly { readonly key: string; readonly value: string; readonly revision: number }[]; readonly revision: number };
/** What clients use. A bug is a wrapper of one of these. */
export type System = {
  get(key: string): Promise<{ value: string; revision: number } | undefined>;
  /** The value without its uid; the system puts the uid in front. */
  write(key: string, value: string | undefined, expected: number): Promise<{ ok: true; revision: number; value: string | undefined } | { ok: false }>;
  list(prefix: string, limit: number, after: string | undefined, revision: number | undefined): Promise<Page>;
  watch(prefix: string, from: number, onEvent: (event: WatchEvent) => void): { close(): void };
  compact(): Promise<void>;
  /** The log as persisted, whatever the bug. */
  log(): LogRecord[];
};
export type Outcome = { readonly operations: Operation[]; readonly log: LogRecord[]; readonly watches: { prefix: string; sessions: WatchSession[]; complete: number; relisted: Set<number> }[] };

/** A right system over the store in memory. */
export async function rightSystem(random: () => number): Promise<System & { readonly store: Store }> {
  const disk = new MemoryDisk();
  const store = await RevisionedStore.open(new MemoryEngine({ disk }), { clock: new ManualClock(), log: silent, onFailure: error => console.error(error) });
  const log: LogRecord[] = [];
  store.watch("/", 1, ({ changes }) => { for (const change of changes) log.push({ revision: change.revision, key: change.key, value: change.type === "delete" ? undefined : change.entry.value }); });
  let uids = 0;
  const pause = async () => { for (let n = Math.floor(random() * 6); n > 0; n--) await Promise.resolve(); };
  const shown = (entry: { value: string; revision: number } | undefined) => entry && { value: entry.value, revision: entry.revision };
  return {
    store,
    log: () => log,
    async get(key) {
      await pause();
      const seen = shown(store.get(key));
      await pause();
      return seen;
    },
    async write(key, value, expected) {
      await pause();
      const uid = expected === 0 ? `u${++uids}` : store.get(key)?.value.split(":")[0];
      const text = value === undefined ? undefined : `${uid}:${value}`;
      const result = text === undefined ? await store.delete(key, expected) : await store.put(key, text, expected);
      await pause();
      return result.ok ? { ok: true, revision: result.entry.revision, value: text } : { ok: false };
    },
    async list(prefix, limit, after, revision) {
      await pause();
      const options = { limit, ...(after === undefined ? {} : { after }) };
      const page = store.listAt(prefix, revision ?? store.revision, options);
      if (!("entries" in page)) throw new Error("compacted");
      return { entries: page.entries.map(entry => ({ key: entry.key, value: entry.value, revision: entry.revision })), revision: page.revision };
    },
    watch(prefix, from, onEvent) {
      const watch = store.watch(prefix, from, ({ changes, progress }: Batch) => {
        for (const { type, key, revision, entry, previous } of changes) onEvent({ type: type === "delete" ? "DELETED" : previous === undefined ? "ADDED" : "MODIFIED", key, revision, value: entry.value });
        if (random() < 0.2) onEvent({ type: "BOOKMARK", revision: progress });
      });
      if ("compacted" in watch) throw new Error("compacted");
      return watch;
    },
    compact: () => store.compact(Math.max(store.oldestRevision, store.revision - 5)),
  };
}

const prefixes = ["/r/a/", "/r/b/"] as const;

/** Eight clients and two watchers that keep resuming, over few keys. */
export async function runClients(system: System, random: () => number, operationsEach: number): Promise<Outcome> {
  let tick = 0;
  const operations: Operation[] = [];
  const below = (n: number) => Math.floor(random() * n);
  const keyNow = () => `${prefixes[below(2)]}k${below(4)}`;
  const client = async (id: number) => {
    const known = new Map<string, number>();
    for (let i = 0; i < operationsEach; i++) {
      const call = tick++;
      const key = keyNow();
      const what = random();
      if (what < 0.3) {
        const seen = await system.get(key);
        known.set(key, seen?.revision ?? 0);
        operations.push({ client: id, call, end: tick++, type: "get", key, seen });
      } else if (what < 0.9) {
        const expected = known.get(key) ?? 0;
        const wanted = expected !== 0 && random() < 0.3 ? undefined : `w${id}.${i}`;
        const result = await system.write(key, wanted, expected);
        const value = result.ok ? result.value : wanted;
        operations.push({ client: id, call, end: tick++, type: "write", key, expected, value, outcome: result.ok ? { ok: true, revision: result.revision } : { ok: false } });
        if (result.ok) known.set(key, value === undefined ? 0 : result.revision);
        else known.delete(key);
      } else operations.push({ client: id, call, type: "list", ...(await listAll(system, prefixes[below(2)]!)), end: tick++ });
    }
  };
  let over = false;
  const watches = prefixes.map(prefix => ({ prefix, sessions: [] as WatchSession[], complete: 0, relisted: new Set<number>() }));
  const watcher = async ({ prefix, sessions, relisted }: (typeof watches)[number]) => {
    for (let from = 1; !over; ) {
      const events: WatchEvent[] = [];
      const watch = start(system, prefix, from, event => events.push(event));
      if (watch === undefined) {
        from = (await listAll(system, prefix)).revision;
        relisted.add(sessions.length);
        continue;
      }
      sessions.push({ from, events });
      for (let wait = 20 + below(200); wait > 0 && !over; wait--) await Promise.resolve();
      if (over) break;
      watch.close();
      from = events.reduce((revision, event) => Math.max(revision, event.revision), from);
      // Nothing may be heard after the end.
      sessions[sessions.length - 1] = { from: sessions.at(-1)!.from, events: [...events] };
      if (random() < 0.1) await system.compact();
    }
  };
  const watching = watches.map(watcher);
  await Promise.all(Array.from({ length: 8 }, (_, id) => client(id)));
  over = true;
  await Promise.all(watching);
  const log = system.log();
  for (const watch of watches) watch.complete = log.at(-1)?.revision ?? 1;
  return { operations, log, watches };
}

/** `undefined` when `from` is compacted. */
function start(system: System, prefix: string, from: number, onEvent: (event: WatchEvent) => void): { close(): void } | undefined {
  try {
    return system.watch(prefix, from, onEvent);
  } catch (error) {
    if (error instanceof Error && error.message === "compacted") return undefined;
    throw error;
  }
}

async function listAll(system: System, prefix: string): Promise<{ prefix: string; revision: number; entries: Page["entries"] }> {
  for (;;) {
    try {
      const first = await system.list(prefix, 2, undefined, undefined);
      const entries = [...first.entries];
      for (let page = first; page.entries.length === 2; ) {
        page = await system.list(prefix, 2, entries.at(-1)!.key, first.revision);
        entries.push(...page.entries);
      }
      return { prefix, revision: first.revision, entries };
    } catch (error) {
      if (!(error instanceof Error && error.message === "compacted")) throw error;
    }
  }
}

export { seeded };

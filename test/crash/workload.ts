/** The writes that crash images are taken of, and what must hold of every image. */
import type { EngineWrite } from "../../src/store/store.ts";
import { SqliteLog } from "../../src/host/sqlite-log.ts";

/** A seeded generator (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

// Small: the reserve is not what is tested here, and every image would write it.
const reserveBytes = 4096;

/** How the workload tells what it does; `step` is called after every call that may touch the disk. */
export type Observer = { note(text: string): void; step?(): void };

/**
 * Commits of one to many writes, small and large values, deletes, compaction with dead revisions leaving, checkpoints at odd moments and clean restarts.
 * Before a commit: `begin` with its writes; after it: `ack`.
 */
export function runWorkload(path: string, options: { readonly seed: number; readonly commits: number }, observer: Observer): void {
  const random = seeded(options.seed);
  const below = (n: number) => Math.floor(random() * n);
  const current = new Map<string, number>();
  // Replaced revisions are dead once history is forgotten up to them; they leave in order, so that no deletion leaves before what it deleted.
  const replaced: number[] = [];
  const dead: number[] = [];
  let log = new SqliteLog(path, { reserveBytes });
  observer.step?.();
  for (let i = 0; i < options.commits; i++) {
    const writes: EngineWrite[] = [];
    const touched = new Set<string>();
    for (let n = random() < 0.2 ? 1 + below(40) : 1 + below(3); n > 0; n--) {
      const key = `/registry/core/pods/default/p${below(60)}`;
      if (touched.has(key)) continue;
      touched.add(key);
      const gone = current.has(key) && random() < 0.2;
      writes.push({ key, value: gone ? undefined : `${i}:${String.fromCharCode(97 + below(26)).repeat(random() < 0.1 ? below(30_000) : below(3_000))}`, expected: 0 });
    }
    const remove = dead.splice(0, writes.length * 2);
    observer.note(`begin ${JSON.stringify(writes.map(({ key, value }) => [key, value === undefined ? null : digest(value)]))}`);
    const records = log.commit(writes, remove, { frees: true });
    observer.note(`ack ${records.at(-1)!.revision}`);
    observer.step?.();
    for (const { key, revision, value } of records) {
      const previous = current.get(key);
      if (previous !== undefined) replaced.push(previous);
      if (value === undefined) replaced.push(revision);
      if (value === undefined) current.delete(key);
      else current.set(key, revision);
    }
    if (random() < 0.1) {
      log.forget(log.revision);
      dead.push(...replaced.splice(0));
      observer.step?.();
    }
    if (log.wantsCheckpoint || random() < 0.02) {
      log.checkpoint();
      observer.step?.();
    }
    if (random() < 0.02) {
      // Closing syncs between its checkpoint and the removal of the write-ahead log; a recorder that sees only whole calls needs them apart.
      log.checkpoint();
      observer.step?.();
      log.close();
      observer.step?.();
      log = new SqliteLog(path, { reserveBytes });
      observer.step?.();
    }
  }
  log.checkpoint();
  observer.step?.();
  log.close();
  observer.step?.();
}

/** What is wrong with a store file after a cut, given what had been said by then; undefined if nothing. */
export function problemWith(path: string, notes: readonly string[]): string | undefined {
  const acknowledged = new Map<string, string>();
  let revision = 1;
  let underWay: [string, string | null][] = [];
  for (const note of notes) {
    if (note.startsWith("begin ")) underWay = JSON.parse(note.slice(6)) as [string, string | null][];
    else {
      applyWrites(acknowledged, underWay);
      revision += underWay.length;
      underWay = [];
    }
  }
  let log: SqliteLog;
  try {
    log = new SqliteLog(path, { reserveBytes });
  } catch (error) {
    return `unopenable: ${String(error)}`;
  }
  try {
    const found = new Map<string, string>();
    for (const record of log.read(0, 1_000_000)) {
      if (record.value === undefined) found.delete(record.key);
      else found.set(record.key, digest(record.value));
    }
    const withCommit = new Map(acknowledged);
    applyWrites(withCommit, underWay);
    if (same(found, acknowledged) && log.revision === revision) return next(log, revision);
    if (same(found, withCommit) && log.revision === revision + underWay.length) return next(log, revision + underWay.length);
    const missing = [...acknowledged].filter(([key, value]) => found.get(key) !== value && withCommit.get(key) !== found.get(key));
    return missing.length > 0
      ? `lost: ${missing.slice(0, 3).map(([key]) => key).join(", ")} at revision ${log.revision}, acknowledged ${revision}`
      : `inconsistent: revision ${log.revision}, acknowledged ${revision}, ${underWay.length} writes under way`;
  } catch (error) {
    return `unreadable: ${String(error)}`;
  } finally {
    log.close();
  }
}

/** The store goes on from there. */
function next(log: SqliteLog, revision: number): string | undefined {
  const [record] = log.commit([{ key: "/registry/after", value: "1", expected: 0 }], [], { frees: true });
  return record?.revision === revision + 1 ? undefined : `the next revision is ${record?.revision} instead of ${revision + 1}`;
}

function applyWrites(state: Map<string, string>, writes: readonly (readonly [string, string | null])[]): void {
  for (const [key, value] of writes) {
    if (value === null) state.delete(key);
    else state.set(key, value);
  }
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

/** Enough of a value to know it again: its beginning says which write, and its length that it is whole. */
function digest(value: string): string {
  return `${value.slice(0, 12)}#${value.length}`;
}

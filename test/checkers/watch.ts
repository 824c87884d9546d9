import { Replay, type LogRecord } from "./history.ts";

export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly key: string; readonly revision: number; readonly value: string }
  | { readonly type: "BOOKMARK"; readonly revision: number };
/** One connection of a watch: where it asked to start, and all that came. */
export type WatchSession = { readonly from: number; readonly events: readonly WatchEvent[] };

/**
 * What is wrong with a watch of `prefix` that was resumed some times: etcd's guarantees (tests/robustness/validate/watch.go), by its names. `complete` is the
 * revision up to which the last session must have heard everything. A session may start elsewhere only after `relisted` says so.
 */
export function watchProblems(watch: { readonly prefix: string; readonly sessions: readonly WatchSession[]; readonly complete?: number; readonly relisted?: ReadonlySet<number> }, log: readonly LogRecord[]): string[] {
  const problems: string[] = [];
  const replay = new Replay(log);
  let progress: number | undefined;
  watch.sessions.forEach((session, i) => {
    const say = (problem: string) => problems.push(`${watch.prefix} session ${i} from ${session.from}: ${problem}`);
    if (progress !== undefined && session.from !== progress && watch.relisted?.has(i) !== true) say(`not Resumable: the last one came to ${progress}`);
    const last = i === watch.sessions.length - 1;
    progress = sessionProblems(watch.prefix, session, replay, last ? watch.complete : undefined, say);
  });
  return problems;
}

function sessionProblems(prefix: string, { from, events }: WatchSession, replay: Replay, complete: number | undefined, say: (problem: string) => void): number {
  let progress = from;
  const heard = new Set<number>();
  for (const event of events) {
    if (event.type === "BOOKMARK") {
      if (event.revision < progress) say(`not Ordered: bookmark ${event.revision} after ${progress}`);
      progress = Math.max(progress, event.revision);
      continue;
    }
    const { key, revision } = event;
    if (!key.startsWith(prefix)) say(`not Filtered: ${key}`);
    if (heard.has(revision)) say(`not Unique: ${revision} came twice`);
    else if (revision <= progress) say(`not Ordered: ${revision} after ${progress}`);
    heard.add(revision);
    progress = Math.max(progress, revision);
    eventProblems(event, replay, say);
  }
  for (const { key, revision } of replay.log)
    if (key.startsWith(prefix) && revision > from && revision <= Math.max(progress, complete ?? 0) && !heard.has(revision)) say(`${revision <= progress ? "not Reliable or not Bookmarkable" : "not Reliable"}: ${key}@${revision} is missing at ${progress}`);
  return progress;
}

/** Whether the event says what happened. */
function eventProblems({ type, key, revision, value }: Exclude<WatchEvent, { type: "BOOKMARK" }>, replay: Replay, say: (problem: string) => void): void {
  const record = replay.recordAt(key, revision);
  if (record?.revision !== revision) return say(`${type} ${key}@${revision} never happened`);
  const before = replay.at(key, revision - 1);
  const expected = record.value === undefined ? "DELETED" : before === undefined ? "ADDED" : "MODIFIED";
  if (type !== expected) say(`Is-create: ${key}@${revision} is ${type} instead of ${expected}`);
  const shown = record.value ?? before?.value;
  if (value !== shown) say(`Previous value or content: ${key}@${revision} shows ${value} instead of ${shown}`);
}

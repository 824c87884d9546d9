import { Replay, type LogRecord, type Operation } from "./history.ts";

/**
 * Checks a history against the persisted log in time linear in both: the log is the order, so nothing has to be searched. Values must be unique per
 * write and start with the object's uid: `uid:rest`. Returns what is wrong.
 */
export function witnessProblems(operations: readonly Operation[], log: readonly LogRecord[]): string[] {
  const replay = new Replay(log);
  return [...logProblems(log), ...operations.flatMap(operation => answerProblems(operation, replay)), ...realTimeProblems(operations, replay), ...uidProblems(log)];
}

function logProblems(log: readonly LogRecord[]): string[] {
  const problems: string[] = [];
  const values = new Set<string>();
  let newest = 0;
  for (const { revision, key, value } of log) {
    if (revision <= newest) problems.push(`revision ${revision} of ${key} comes after ${newest}`);
    newest = Math.max(newest, revision);
    if (value === undefined) continue;
    if (values.has(value)) problems.push(`${value} was written twice`);
    values.add(value);
  }
  return problems;
}

/** Whether an answer fits the log, whenever it was given. */
function answerProblems(operation: Operation, replay: Replay): string[] {
  if (operation.type === "list") {
    const expected = replay.under(operation.prefix, operation.revision);
    const show = (entries: readonly { key: string; revision: number }[]) => entries.map(({ key, revision }) => `${key}@${revision}`).join(" ");
    return show(expected) === show(operation.entries) ? [] : [`the list of ${operation.prefix} at ${operation.revision} is [${show(operation.entries)}], not [${show(expected)}]`];
  }
  if (operation.type === "get") {
    const { key, seen } = operation;
    if (seen === undefined) return [];
    return replay.at(key, seen.revision)?.value === seen.value && replay.at(key, seen.revision)?.revision === seen.revision ? [] : [`get of ${key} saw ${seen.value}@${seen.revision}, which never was`];
  }
  const { key, expected, value, outcome } = operation;
  if (outcome === "unknown") return [];
  if (!outcome.ok) return value !== undefined && replay.log.some(record => record.value === value) ? [`${key}=${value} was refused but is in the log`] : [];
  const record = replay.recordAt(key, outcome.revision);
  if (record?.revision !== outcome.revision || record.value !== value) return [`${key}=${value ?? "deleted"} was acknowledged at ${outcome.revision} but is not in the log there`];
  const before = replay.at(key, outcome.revision - 1)?.revision ?? 0;
  return before === expected ? [] : [`${key}=${value ?? "deleted"} expected ${expected} but replaced ${before}`];
}

/** What ended before an operation began is older than what the operation says. */
function realTimeProblems(operations: readonly Operation[], replay: Replay): string[] {
  const problems: string[] = [];
  const began = new Map(operations.flatMap(operation => (operation.type === "write" && operation.outcome !== "unknown" && operation.outcome.ok ? [[operation.outcome.revision, operation.call] as const] : [])));
  const byEnd = operations.filter(operation => revisionOf(operation) !== undefined).sort((a, b) => a.end - b.end);
  let next = 0;
  let floor = 0;
  for (const operation of [...operations].sort((a, b) => a.call - b.call)) {
    for (; next < byEnd.length && byEnd[next]!.end < operation.call; next++) floor = Math.max(floor, revisionOf(byEnd[next]!)!);
    if (operation.type === "get") {
      const { key, seen, end } = operation;
      const known = replay.recordAt(key, floor);
      const older = seen === undefined ? known?.value !== undefined && !replay.deletedAfter(key, floor, revision => (began.get(revision) ?? 0) < end) : (known?.revision ?? 0) > seen.revision;
      if (older) problems.push(`get of ${key} saw ${seen?.revision ?? "nothing"} although ${known?.revision} was known before`);
    } else {
      const revision = revisionOf(operation);
      if (revision !== undefined && (operation.type === "list" ? revision < floor : revision <= floor)) problems.push(`${operation.type} at ${revision} began after ${floor} was known`);
    }
  }
  return problems;
}

/** The newest revision that an operation's answer proves to exist. */
function revisionOf(operation: Operation): number | undefined {
  if (operation.type === "get") return operation.seen?.revision;
  if (operation.type === "list") return operation.revision;
  return operation.outcome !== "unknown" && operation.outcome.ok ? operation.outcome.revision : undefined;
}

/** An object keeps its uid, and a new one under the same key gets another. */
function uidProblems(log: readonly LogRecord[]): string[] {
  const problems: string[] = [];
  const current = new Map<string, string>();
  const used = new Set<string>();
  for (const { key, value } of log) {
    const uid = value?.split(":")[0];
    const before = current.get(key);
    if (uid === undefined) current.delete(key);
    else {
      if (before === undefined && used.has(uid)) problems.push(`the new ${key} has the used uid ${uid}`);
      if (before !== undefined && before !== uid) problems.push(`${key} changed its uid from ${before} to ${uid}`);
      current.set(key, uid);
      used.add(uid);
    }
  }
  return problems;
}

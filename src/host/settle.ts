/** What keeps a process small as long as it has little to do (docs/decisions/0007-small-at-rest.md). */
import { PerformanceObserver } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { messageOf, type Log } from "../base/log.ts";

// The start is over by then, and a cluster's first pods too.
const collectAfterMs = 15_000;
// A full collection of a large heap takes a third of a second: not while others wait for answers. Part of the time since the last look that was spent working.
const busyPart = 0.2;
// So many collections of the young space in so short a time mean work: at rest one takes minutes.
const busyCollections = 4;
const busyWithinMs = 2_000;
// A minute in which less of a processor was used than this is rest.
const restMs = 60_000;
const restShare = 0.01;
/** Minutes of rest after which everything is collected: what work left behind, and then the history it made, which the store keeps for ten minutes. */
const collectAfterRests: readonly number[] = [1, 12];

/**
 * Flags for a process that may rest for days: it can be told to collect its garbage, and leaves its optimising compilers alone, whose code alone is eight
 * megabytes, until it has something to do. A process started with them calls `settleMemory` when its start is over.
 */
export const restingFlags: readonly string[] = ["--expose-gc", "--maglev-filter=-*", "--turbo-filter=-*"];

/** What a start leaves behind, half of the young space and everything that was needed only once, goes, and so does what rests unused later; once there is work, code is optimised. */
export function settleMemory(log: Log, signal: AbortSignal): void {
  if (signal.aborted) return;
  const release = async (): Promise<void> => {
    try {
      (await import("./resident.ts")).releaseResident();
    } catch (error) {
      clearInterval(later);
      log.info("unused memory cannot be given back", { error: messageOf(error) });
    }
  };
  // V8 gives memory back when it next collects everything, which an idle process never does.
  const collect = (globalThis as { readonly gc?: (options: { readonly type: "major"; readonly execution: "sync"; readonly flavor: "last-resort" }) => void }).gc;
  let worked = performance.eventLoopUtilization();
  const first = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, worked);
    worked = now;
    if (utilization > busyPart) return;
    clearInterval(first);
    collect?.({ type: "major", execution: "sync", flavor: "last-resort" });
    void release();
  }, collectAfterMs);
  let used = process.cpuUsage();
  // Since the last minute of work; none was seen yet.
  let rests = Infinity;
  const later = setInterval(() => {
    const { user, system } = process.cpuUsage(used);
    rests = user + system < restMs * 1000 * restShare ? rests + 1 : 0;
    if (collectAfterRests.includes(rests)) collect?.({ type: "major", execution: "sync", flavor: "last-resort" });
    if (rests > 0) void release();
    used = process.cpuUsage();
  }, restMs);
  first.unref();
  later.unref();
  let [since, count] = [performance.now(), 0];
  const observer = new PerformanceObserver(list => {
    const now = performance.now();
    if (now - since > busyWithinMs) [since, count] = [now, 0];
    count += list.getEntries().length;
    if (count < busyCollections) return;
    observer.disconnect();
    setFlagsFromString("--maglev-filter=*");
    setFlagsFromString("--turbo-filter=*");
  });
  observer.observe({ entryTypes: ["gc"] });
  signal.addEventListener("abort", () => {
    clearInterval(first);
    clearInterval(later);
    observer.disconnect();
  }, { once: true });
}

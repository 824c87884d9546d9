/** Keeps a node alive when memory or disk run out: first what nobody uses goes, then one pod at a time (pkg/kubelet/eviction/eviction_manager.go). */
import type { Clock } from "../base/clock.ts";
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import { messageOf, type Log } from "../base/log.ts";
import { isTerminal } from "./containers.ts";
import type { AgentFigures } from "./figures.ts";
import { evictionMessage, evictionOrder, limitsStorage, observationsOf, storageLimitPassed, thresholdsMet, type Candidate, type Met, type Pressure } from "./pressure.ts";
import type { PodWorker } from "./pod-worker.ts";
import type { Stats } from "./stats.ts";

/** How often it is looked. */
export const lookMs = 10_000;
/** A condition stays this long after the shortage was last seen, so that pods do not come and go with it. */
export const transitionMs = 300_000;
/** An evicted pod has this long to be cleaned up before the next is judged. */
const cleanupMs = 30_000;
const graceSeconds = 1;
const criticalPriority = 2_000_000_000;

type Options = {
  readonly stats: Stats;
  readonly clock: Clock;
  readonly figures?: AgentFigures;
  readonly log: Log;
  readonly workers: () => readonly PodWorker[];
  /** Removes images that no container uses. */
  readonly freeImages: () => Promise<unknown>;
  /** An event on the Node. */
  readonly tellNode: (reason: string, message: string) => void;
  readonly tellPod: (worker: PodWorker, reason: string, message: string) => void;
  /** The Node's conditions are to be written now. */
  readonly changed: () => Promise<void>;
  /** What the Node says of itself, as far as the API server has it. */
  readonly published: () => ReadonlySet<string>;
  /** Rejects when the API server takes no writes now. */
  readonly writable: () => Promise<void>;
};

export class Eviction {
  readonly #options: Options;
  readonly #seenAt = new Map<Pressure, number>();
  constructor(options: Options) {
    this.#options = options;
  }

  /** What the node is short of now, or was until lately. */
  get pressures(): ReadonlySet<Pressure> {
    const now = this.#options.clock.monotonic();
    return new Set([...this.#seenAt].filter(([, at]) => now - at < transitionMs).map(([type]) => type));
  }

  /**
   * What pods feel of it. A disk may be full so that nobody can be told: the store lies on it, too. Then pods would be ended unseen, and what replaces them be sent
   * here and refused again and again, since the scheduler does not know. So the disk's shortage is acted upon once the Node says it; memory does not wait.
   */
  get effective(): ReadonlySet<Pressure> {
    const published = this.#options.published();
    return new Set([...this.pressures].filter(type => type !== "DiskPressure" || published.has(type)));
  }

  async look(signal: AbortSignal): Promise<void> {
    const { stats, clock, log, changed } = this.#options;
    const before = [...this.pressures].sort().join();
    const met = thresholdsMet(observationsOf(await stats.nodeSummary()));
    for (const { condition } of met) this.#seenAt.set(condition, clock.monotonic());
    if ([...this.pressures].sort().join() !== before) await changed().catch((error: unknown) => log.warn("the node's conditions could not be written, the next heartbeat does", { error: messageOf(error) }));
    const evicted = (await this.#overLimit()) ?? (await this.#relieve(met.filter(({ condition }) => this.effective.has(condition))));
    if (evicted === undefined) return;
    for (const end = clock.monotonic() + cleanupMs; clock.monotonic() < end && !signal.aborted && evicted.some(({ state }) => state === "syncing" || state === "ending");) await clock.sleep(1_000, signal);
  }

  /** Pods that have written more than they may. */
  async #overLimit(): Promise<readonly PodWorker[] | undefined> {
    const limited = this.#active().filter(({ pod }) => limitsStorage(pod));
    if (limited.length === 0) return undefined;
    const gone: PodWorker[] = [];
    for (const { worker, candidate } of await this.#measured(limited)) {
      const passed = storageLimitPassed(candidate);
      if (passed === undefined || !this.#evict(worker, passed.message, false)) continue;
      this.#options.figures?.evictions.add(1, passed.signal);
      gone.push(worker);
    }
    return gone.length === 0 ? undefined : gone;
  }

  async #relieve(met: readonly Met[]): Promise<readonly PodWorker[] | undefined> {
    const { log, tellNode, freeImages, stats, writable } = this.#options;
    const [first] = met;
    if (first === undefined) return undefined;
    log.warn("the node runs short", { resource: first.resource, available: first.available, threshold: first.threshold });
    tellNode("EvictionThresholdMet", `Attempting to reclaim ${first.resource}`);
    if (first.condition === "DiskPressure") {
      await freeImages().catch((error: unknown) => log.warn("images could not be removed", { error: messageOf(error) }));
      if (thresholdsMet(observationsOf(await stats.nodeSummary())).length === 0) return undefined;
    }
    // What was short when the Node said so can be full by now: nobody would be told that the pod has ended.
    if (first.condition === "DiskPressure")
      try {
        await writable();
      } catch (error) {
        log.warn("no pod is ended for the disk while nobody can be told", { error: messageOf(error) });
        return undefined;
      }
    const measured = await this.#measured(this.#active());
    for (const candidate of evictionOrder(measured.map(each => each.candidate), first.resource)) {
      const { worker } = measured.find(each => each.candidate === candidate)!;
      if (!this.#evict(worker, evictionMessage(candidate, first), true)) continue;
      this.#options.figures?.evictions.add(1, first.signal);
      return [worker];
    }
    log.warn("no pod could be evicted");
    return undefined;
  }

  #evict(worker: PodWorker, message: string, disrupted: boolean): boolean {
    const { log, tellPod } = this.#options;
    const { name, namespace } = worker.pod.metadata;
    if ((worker.pod.spec.priority ?? 0) >= criticalPriority) {
      log.warn("a critical pod is not evicted", { pod: `${namespace}/${name}` });
      return false;
    }
    tellPod(worker, "Evicted", message);
    log.warn("evicting a pod", { pod: `${namespace}/${name}`, message });
    worker.fail("Evicted", message, { kill: { graceSeconds }, ...(disrupted && { condition: { type: "DisruptionTarget", status: "True", reason: "TerminationByKubelet", message } }) });
    return true;
  }

  #active(): readonly PodWorker[] {
    return this.#options.workers().filter(({ pod, state }) => state === "syncing" && !isTerminal(pod));
  }
  async #measured(workers: readonly PodWorker[]): Promise<readonly { readonly worker: PodWorker; readonly candidate: Candidate }[]> {
    const summary: Json = await this.#options.stats.podsSummary(workers.map(({ pod, runtimeState }) => ({ pod, state: runtimeState })));
    const byUID = new Map<string, JsonObject>();
    for (const stats of Array.isArray(summary) ? summary.filter(isObject) : []) if (isObject(stats["podRef"])) byUID.set(String(stats["podRef"]["uid"]), stats);
    return workers.flatMap(worker => {
      const stats = byUID.get(worker.pod.metadata.uid ?? "");
      return stats === undefined ? [] : [{ worker, candidate: { pod: worker.pod, stats } }];
    });
  }
}

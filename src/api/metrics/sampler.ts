/**
 * What nodes and pods use, for metrics.k8s.io: two samples of every node's stats summary and the rate between them. Nothing is sampled while
 * nobody asks; the first to ask after a pause waits for the second sample. Rules for new and restarted containers are metrics-server's (pkg/storage).
 */
import type { Clock } from "../../base/clock.ts";
import { isObject, type Json, type JsonObject } from "../../base/json.ts";
import { messageOf, type Log } from "../../base/log.ts";

/** The stats summary of one node, processor and memory alone. */
export type ReadNodeStats = (node: string, signal: AbortSignal) => Promise<Json>;
export type SamplerOptions = { readonly read: ReadNodeStats; readonly nodes: () => readonly string[]; readonly clock: Clock; readonly log: Log };

/** A sample this young is good enough for the next asker. */
const freshMs = 10_000;
/** An older one says nothing of now: begin anew. */
const staleMs = 90_000;
/** Between the two samples that a first answer takes. */
const firstSpanMs = 1_000;
/** A container that started after the older sample is told once it has run this long. */
const freshContainerMs = 10_000;
const nodeTimeoutMs = 10_000;
/** Nodes asked at a time. */
const nodesAtOnceMax = 16;

type Counter = { readonly atMs: number; readonly cpuNanos: number; readonly memoryBytes: number };
type ContainerCounter = Counter & { readonly startedAt: string };
type Sample = { readonly atMs: number; readonly endedAt: number; readonly nodes: ReadonlyMap<string, Counter>; readonly pods: ReadonlyMap<string, ReadonlyMap<string, ContainerCounter>> };

export type Usage = { readonly cpuNanoCores: number; readonly memoryBytes: number };
/** Since when and until when, in milliseconds since the epoch. */
export type Measured<T> = T & { readonly timestamp: number; readonly windowMs: number };
export type Usages = {
  readonly nodes: ReadonlyMap<string, Measured<{ readonly usage: Usage }>>;
  /** By `namespace/name`; only pods all of whose running containers could be measured. */
  readonly pods: ReadonlyMap<string, Measured<{ readonly containers: ReadonlyMap<string, Usage> }>>;
};

export class Sampler {
  readonly #options: SamplerOptions;
  #before: Sample | undefined;
  #last: Sample | undefined;
  #under: Promise<void> | undefined;
  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  async usages(): Promise<Usages> {
    const { clock } = this.#options;
    if (this.#before === undefined || this.#last === undefined || clock.monotonic() - this.#last.atMs >= freshMs) {
      this.#under ??= this.#take().finally(() => void (this.#under = undefined));
      await this.#under;
    }
    return usagesBetween(this.#before!, this.#last!);
  }

  async #take(): Promise<void> {
    const { clock } = this.#options;
    const young = this.#last !== undefined && clock.monotonic() - this.#last.atMs < staleMs ? this.#last : undefined;
    this.#before = young ?? (await this.#sample());
    if (young === undefined) await clock.sleep(firstSpanMs);
    this.#last = await this.#sample();
  }

  async #sample(): Promise<Sample> {
    const { clock, log, nodes: names, read } = this.#options;
    const nodes = new Map<string, Counter>();
    const pods = new Map<string, Map<string, ContainerCounter>>();
    const waiting = [...names()];
    const work = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
        try {
          const timeout = new AbortController();
          const stop = clock.after(nodeTimeoutMs, () => timeout.abort(new Error(`no answer within ${nodeTimeoutMs / 1000} s`)));
          const summary = await read(name, timeout.signal).finally(stop);
          gather(summary, name, clock.monotonic(), nodes, pods);
        } catch (error) {
          log.warn("a node could not be measured", { node: name, error: messageOf(error) });
        }
    };
    await Promise.all(Array.from({ length: Math.min(nodesAtOnceMax, waiting.length) }, work));
    return { atMs: clock.monotonic(), endedAt: clock.now(), nodes, pods };
  }
}

function gather(summary: Json, node: string, atMs: number, nodes: Map<string, Counter>, pods: Map<string, Map<string, ContainerCounter>>): void {
  const counterOf = (stats: JsonObject): Counter | undefined => {
    const cpuNanos = field(stats["cpu"], "usageCoreNanoSeconds");
    const memoryBytes = field(stats["memory"], "workingSetBytes");
    return cpuNanos === undefined || memoryBytes === undefined ? undefined : { atMs, cpuNanos, memoryBytes };
  };
  const body = isObject(summary) ? summary : {};
  const own = isObject(body["node"]) ? counterOf(body["node"]) : undefined;
  if (own !== undefined) nodes.set(node, own);
  for (const pod of objects(body["pods"])) {
    const reference = isObject(pod["podRef"]) ? pod["podRef"] : {};
    const containers = new Map<string, ContainerCounter>();
    for (const container of objects(pod["containers"])) {
      const counter = counterOf(container);
      if (counter !== undefined) containers.set(String(container["name"]), { ...counter, startedAt: String(container["startTime"] ?? "") });
    }
    pods.set(`${String(reference["namespace"])}/${String(reference["name"])}`, containers);
  }
}
const objects = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);
function field(stats: Json | undefined, name: string): number | undefined {
  const value = isObject(stats) ? stats[name] : undefined;
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined;
}

/** Pure: exported for its table. */
export function usagesBetween(before: Sample, last: Sample): Usages {
  const nodes = new Map<string, Measured<{ usage: Usage }>>();
  for (const [name, now] of last.nodes) {
    const then = before.nodes.get(name);
    const usage = then === undefined ? undefined : rate(then, now);
    if (usage !== undefined) nodes.set(name, { usage, timestamp: last.endedAt, windowMs: now.atMs - then!.atMs });
  }
  const pods = new Map<string, Measured<{ containers: ReadonlyMap<string, Usage> }>>();
  for (const [key, now] of last.pods) {
    const containers = new Map<string, Usage>();
    let windowMs = Infinity;
    for (const [name, counter] of now) {
      const then = startOf(before, last, key, name, counter);
      const usage = then === undefined ? undefined : rate(then, counter);
      if (usage === undefined) continue;
      containers.set(name, usage);
      windowMs = Math.min(windowMs, counter.atMs - then!.atMs);
    }
    if (containers.size > 0 && containers.size === now.size) pods.set(key, { containers, timestamp: last.endedAt, windowMs });
  }
  return { nodes, pods };
}

/** The counter to compare with: the older sample's, or zero at the start of a container that is younger than it. */
function startOf(before: Sample, last: Sample, pod: string, name: string, now: ContainerCounter): Counter | undefined {
  const then = before.pods.get(pod)?.get(name);
  if (then !== undefined && then.startedAt === now.startedAt) return then;
  const ageMs = last.endedAt - Date.parse(now.startedAt);
  return ageMs >= freshContainerMs ? { atMs: now.atMs - ageMs, cpuNanos: 0, memoryBytes: 0 } : undefined;
}
function rate(then: Counter, now: Counter): Usage | undefined {
  const spanMs = now.atMs - then.atMs;
  if (spanMs <= 0 || now.cpuNanos < then.cpuNanos) return undefined;
  return { cpuNanoCores: Math.round(((now.cpuNanos - then.cpuNanos) / spanMs) * 1000), memoryBytes: now.memoryBytes };
}

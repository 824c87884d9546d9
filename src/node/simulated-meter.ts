/** What a simulated node measures: its containers use what their pod's annotations say they use, and nothing by themselves. */
import type { Clock } from "../base/clock.ts";
import { QuantityError, quantityMilli, quantityValue } from "../base/quantity.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { PodState } from "./runtime.ts";
import type { CgroupUsage, DiskUsage, MachineUsage, Meter } from "./usage.ts";

/** Quantities of each container of the pod: `250m`, `64Mi`. */
export const simulatedUsage = { cpu: "simulated.timonier.dev/cpu", memory: "simulated.timonier.dev/memory" } as const;

type Seen = { readonly pod: Pod; readonly state: PodState | undefined };
type Facts = { readonly cpus: number; readonly memoryBytes: number; readonly ephemeralBytes: number };
const nothing = { cpuUserNanos: 0, cpuSystemNanos: 0, processes: 0, throttled: { periods: 0, throttledPeriods: 0, nanos: 0 }, limits: { cpuShares: 2, cpuPeriod: 100_000 } } as const;

export class SimulatedMeter implements Meter {
  readonly #clock: Clock;
  readonly #pods: () => Iterable<Seen>;
  readonly #facts: Facts;
  readonly #bootedAt: number;
  /** Processor time so far by container; only of containers that are there. */
  #spent = new Map<string, { readonly atMs: number; readonly nanos: number }>();
  constructor(clock: Clock, facts: Facts, pods: () => Iterable<Seen>) {
    this.#clock = clock;
    this.#facts = facts;
    this.#pods = pods;
    this.#bootedAt = clock.now();
  }

  cgroup(path: string): CgroupUsage | undefined {
    const [, uid = "", id] = /\/pod([^/]+)(?:\/(.+))?$/.exec(path) ?? [];
    const used = this.#advance().filter(container => (uid === "" || container.uid === uid) && (id === undefined || container.id === id));
    if (uid !== "" && used.length === 0) return undefined;
    const memory = used.reduce((sum, each) => sum + each.memory, 0);
    return { ...nothing, cpuNanos: used.reduce((sum, each) => sum + each.nanos, 0), disks: [], processes: used.length, memory: { usage: memory, workingSet: memory, rss: memory, cache: 0, pageFaults: 0, majorPageFaults: 0, failures: 0 } };
  }
  networks(): readonly [] {
    return [];
  }
  machine(): MachineUsage {
    const all = this.cgroup("")!;
    return { cpuNanos: all.cpuNanos, memory: all.memory, memoryCapacity: this.#facts.memoryBytes, cpus: this.#facts.cpus, networks: [], processes: all.processes, processesMax: 32_768, bootedAt: this.#bootedAt };
  }
  async disk(): Promise<DiskUsage> {
    return { available: this.#facts.ephemeralBytes, capacity: this.#facts.ephemeralBytes, used: 0, inodes: 0, inodesFree: 0 };
  }
  async size(): Promise<{ readonly bytes: number; readonly inodes: number }> {
    return { bytes: 0, inodes: 0 };
  }

  /** Lets every container spend what it does from the last look until now. */
  #advance(): readonly { readonly uid: string; readonly id: string; readonly nanos: number; readonly memory: number }[] {
    const atMs = this.#clock.monotonic();
    const spent = new Map<string, { readonly atMs: number; readonly nanos: number }>();
    const used = [...this.#pods()].flatMap(({ pod, state }) => (state?.containers ?? []).filter(container => container.state === "running").map(({ id }) => {
      const before = this.#spent.get(id);
      const nanos = (before?.nanos ?? 0) + (before === undefined ? 0 : (atMs - before.atMs) * 1000 * amount(pod, simulatedUsage.cpu, quantityMilli));
      spent.set(id, { atMs, nanos });
      return { uid: pod.metadata.uid ?? "", id, nanos, memory: amount(pod, simulatedUsage.memory, quantityValue) };
    }));
    this.#spent = spent;
    return used;
  }
}

/** What is no quantity counts as nothing: the annotation is only for show. */
function amount({ metadata }: Pod, key: string, read: (quantity: string) => number): number {
  const text = metadata.annotations?.[key];
  if (text === undefined) return 0;
  try {
    return Math.max(0, read(text));
  } catch (error) {
    if (error instanceof QuantityError) return 0;
    throw error;
  }
}

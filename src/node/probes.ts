/** The probes of one pod's containers: when they run, and what their results mean (upstream: pkg/kubelet/prober). */
import type { Random } from "../base/random.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Probe } from "../kinds/core/probe.ts";
import { containersOf, statusOf, type Placed } from "./containers.ts";
import { runProbe, type HandlerTools, type ProbeResult } from "./handlers.ts";
import { newestByName } from "./plan.ts";
import type { AgentFigures } from "./figures.ts";
import type { ContainerState, PodState } from "./runtime.ts";
import { idText } from "./status.ts";

export type ProbeKind = "startup" | "liveness" | "readiness";
type Result = "success" | "failure";
/** A probe that cannot be carried out is tried again at once, this often (prober.go: maxProbeRetries). */
const triesMax = 3;

type Worker = {
  readonly kind: ProbeKind;
  readonly probe: Probe;
  containerId: string;
  startedAt: number;
  result: Result | undefined;
  last: Result | undefined;
  runs: number;
  /** It has failed for good: nothing more until the container is another one. */
  held: boolean;
  cancel: () => void;
};

export type ProbeOptions = {
  readonly tools: HandlerTools;
  readonly random: Random;
  readonly figures?: AgentFigures;
  readonly tell: (placed: Placed, type: "Normal" | "Warning", reason: string, message: string) => void;
  /** Something the pod's status or plan depends on has changed. */
  readonly changed: () => void;
};

export class PodProbes {
  readonly #options: ProbeOptions;
  readonly #workers = new Map<string, Worker>();
  #pod: Pod | undefined;
  #podIP = "";
  #stopped = false;
  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** Follows the pod: probes for containers that run, none for others. */
  update(pod: Pod, state: PodState): void {
    this.#pod = pod;
    this.#podIP = state.sandboxes[0]?.ips[0] ?? pod.status.podIP ?? "";
    const newest = newestByName(state);
    for (const placed of containersOf(pod)) {
      const { container, role } = placed;
      if (role === "init" || role === "ephemeral") continue;
      const found = newest.get(container.name);
      for (const [kind, probe] of [["startup", container.startupProbe], ["liveness", container.livenessProbe], ["readiness", container.readinessProbe]] as const)
        if (probe) this.#follow(placed, kind, probe, found);
    }
  }
  /** While a pod ends only its readiness matters any more. */
  ending(): void {
    for (const [key, worker] of this.#workers)
      if (worker.kind !== "readiness") {
        worker.cancel();
        this.#workers.delete(key);
        this.#forget(key, worker.kind);
      }
  }
  stop(): void {
    this.#stopped = true;
    for (const [key, { kind, cancel }] of this.#workers) {
      cancel();
      this.#forget(key, kind);
    }
    this.#workers.clear();
  }

  /** Undefined where the container has no such probe. */
  started(name: string, containerId: string): boolean | undefined {
    return this.#verdict(name, "startup", containerId);
  }
  ready(name: string, containerId: string): boolean | undefined {
    return this.#verdict(name, "readiness", containerId);
  }
  failed(kind: "liveness" | "startup", containerId: string): boolean {
    return [...this.#workers.values()].some(worker => worker.kind === kind && worker.containerId === containerId && worker.result === "failure");
  }
  #verdict(name: string, kind: ProbeKind, containerId: string): boolean | undefined {
    const worker = this.#workers.get(`${kind} ${name}`);
    if (!worker) return undefined;
    return worker.containerId === containerId && worker.result === "success";
  }

  #forget(key: string, kind: ProbeKind): void {
    this.#options.figures?.probeGone(kind, this.#named(key.slice(kind.length + 1)));
  }
  #named(container: string): { readonly container: string; readonly pod: string; readonly namespace: string; readonly uid: string } {
    const { name = "", namespace = "", uid = "" } = this.#pod?.metadata ?? {};
    return { container, pod: name, namespace, uid };
  }

  #follow(placed: Placed, kind: ProbeKind, probe: Probe, found: ContainerState | undefined): void {
    const key = `${kind} ${placed.container.name}`;
    const known = this.#workers.get(key);
    if (found?.state !== "running") {
      if (known) {
        known.cancel();
        known.held = true;
        if (kind === "readiness") known.result = undefined;
      }
      return;
    }
    if (known?.containerId === found.id) return;
    known?.cancel();
    // A container that ran before we did keeps what was said of it, until a probe says otherwise.
    const before = statusOf(this.#pod!, placed.container.name);
    const same = before?.containerID === idText(found);
    const kept = same && ((kind === "readiness" && before.ready) || (kind === "startup" && before.started === true));
    const worker: Worker = { kind, probe, containerId: found.id, startedAt: found.startedAt, result: kind === "liveness" || kept ? "success" : undefined, last: undefined, runs: 0, held: false, cancel: () => undefined };
    this.#workers.set(key, worker);
    const { clock } = this.#options.tools;
    const age = clock.now() - found.startedAt;
    const delay = Math.max(0, (probe.initialDelaySeconds ?? 0) * 1000 - age);
    // Probes of containers found running are spread over their period, so that a restarted agent does not ask all at once.
    const spread = same && age > 10_000 ? this.#options.random.next() * (probe.periodSeconds ?? 10) * 1000 : 0;
    this.#schedule(placed, worker, Math.max(delay, spread));
  }

  #schedule(placed: Placed, worker: Worker, ms: number): void {
    if (this.#stopped || worker.held) return;
    worker.cancel = this.#options.tools.clock.after(ms, () => void this.#run(placed, worker));
  }

  async #run(placed: Placed, worker: Worker): Promise<void> {
    const key = `${worker.kind} ${placed.container.name}`;
    const current = (): boolean => !this.#stopped && !worker.held && this.#workers.get(key) === worker;
    if (!current()) return;
    const started = this.#workers.get(`startup ${placed.container.name}`);
    const hasStarted = !started || started.result === "success";
    const due = worker.kind === "startup" ? worker.result !== "success" : hasStarted;
    if (due) {
      const began = this.#options.tools.clock.monotonic();
      const outcome = await this.#attempt(placed, worker);
      if (!current()) return;
      const took = this.#options.tools.clock.monotonic() - began;
      this.#options.figures?.probed(worker.kind, outcome.result, this.#named(placed.container.name), took);
      this.#judge(placed, worker, outcome);
      return this.#schedule(placed, worker, Math.max(0, (worker.probe.periodSeconds ?? 10) * 1000 - took));
    }
    // A startup probe that has passed is done. The others wait for it; it wakes them.
    if (worker.kind !== "startup") worker.cancel = () => undefined;
  }

  async #attempt(placed: Placed, worker: Worker): Promise<ProbeResult> {
    let outcome: ProbeResult = { result: "unknown", output: "" };
    for (let tries = 0; tries < triesMax && outcome.result === "unknown"; tries++)
      outcome = await runProbe(worker.probe, { pod: this.#pod!, container: placed.container, containerId: worker.containerId, podIP: this.#podIP }, this.#options.tools);
    return outcome;
  }

  #judge(placed: Placed, worker: Worker, { result, output }: ProbeResult): void {
    const name = `${worker.kind[0]!.toUpperCase()}${worker.kind.slice(1)}`;
    if (result === "unknown") {
      this.#options.tell(placed, "Warning", "Unhealthy", `${name} probe errored and resulted in unknown state: ${output}`);
      return;
    }
    if (result === "failure") this.#options.tell(placed, "Warning", "Unhealthy", `${name} probe failed: ${output}`);
    if (result === "warning") this.#options.tell(placed, "Warning", "ProbeWarning", `${name} probe warning: ${output}`);
    const said: Result = result === "failure" ? "failure" : "success";
    worker.runs = worker.last === said ? worker.runs + 1 : 1;
    worker.last = said;
    const threshold = said === "failure" ? worker.probe.failureThreshold ?? 3 : worker.probe.successThreshold ?? 1;
    if (worker.runs < threshold) return;
    const changed = worker.result !== said;
    worker.result = said;
    // The container will be replaced: probing it further would only repeat the verdict.
    if (said === "failure" && worker.kind !== "readiness") worker.held = true;
    if (worker.kind === "startup" && said === "success") this.#wakeOthers(placed);
    if (changed) this.#options.changed();
  }
  #wakeOthers(placed: Placed): void {
    for (const kind of ["liveness", "readiness"] as const) {
      const other = this.#workers.get(`${kind} ${placed.container.name}`);
      if (!other || other.held) continue;
      other.cancel();
      const delay = Math.max(0, (other.probe.initialDelaySeconds ?? 0) * 1000 - (this.#options.tools.clock.now() - other.startedAt));
      this.#schedule(placed, other, delay);
    }
  }
}

/** Changing what a running pod may use: what is allocated, what is applied, and what has to be restarted for it (KEP-1287, pkg/kubelet/allocation). */
import { compareQuantities } from "../base/quantity.ts";
import { sameJson } from "../base/json.ts";
import type { Container } from "../kinds/core/container.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { PodCondition } from "../kinds/core/podstatus.ts";
import { containerResources } from "./resources.ts";
import type { ContainerResources, ContainerState } from "./runtime.ts";

type Amounts = Container["resources"];
/** What a resize has come to, as the pod's events tell it (pkg/kubelet/events/resize.go). */
export type ResizeNews = { readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string };
export type Refusal = { readonly reason: "Deferred" | "Infeasible"; readonly message: string };

/** What the node has given to each container of one pod; it follows the spec as far as there is room. */
export class Allocation {
  #given = new Map<string, Amounts>();
  /** What the runtime was told last, by container id. */
  readonly #applied = new Map<string, ContainerResources>();
  #pending: Refusal | undefined;
  #failed: string | undefined;
  /** What was told last of a refusal, and the pod's generation whose resize is under way. */
  #refused: { readonly generation: number; readonly reason: Refusal["reason"] } | undefined;
  #underWay: number | undefined;
  #news: ResizeNews[] = [];
  /** Starts from what the status says was given: an agent that comes back does not forget. */
  constructor(pod: Pod) {
    for (const container of resizable(pod)) {
      const shown = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])].find(({ name }) => name === container.name);
      this.#given.set(container.name, shown?.resources && shown.state.running ? sameAs(container.resources, shown.resources) : container.resources);
    }
  }

  /** Takes what the spec asks for, if `refuse` has nothing against a pod of that size. */
  follow(pod: Pod, refuse: (pod: Pod) => Refusal | undefined): void {
    const changed = resizable(pod).some(({ name, resources }) => !same(this.#given.get(name), resources));
    const { generation = 0 } = pod.metadata;
    this.#pending = changed ? refuse(pod) : undefined;
    if (this.#pending) {
      const { reason, message } = this.#pending;
      if (this.#refused?.generation !== generation || this.#refused.reason !== reason) this.#tell("Warning", `Resize${reason}`, `Pod resize ${reason}`, pod, generation, message);
      this.#refused = { generation, reason };
      return;
    }
    this.#refused = undefined;
    if (!changed) return;
    this.#given = new Map(resizable(pod).map(({ name, resources }) => [name, resources]));
    this.#underWay = generation;
    this.#tell("Normal", "ResizeStarted", "Pod resize started", pod, generation);
  }
  /** The pod with what it has been given in place of what it asks for. */
  effective(pod: Pod): Pod {
    const with_ = (containers: readonly Container[] | undefined): readonly Container[] => (containers ?? []).map(container => (this.#given.has(container.name) ? { ...container, resources: this.#given.get(container.name)! } : container));
    if (!this.#pending) return pod;
    return { ...pod, spec: { ...pod.spec, containers: with_(pod.spec.containers), ...(pod.spec.initContainers && { initContainers: with_(pod.spec.initContainers) }) } };
  }

  /** A container was made with these. */
  made(containerId: string, resources: ContainerResources): void {
    this.#applied.set(containerId, resources);
  }
  /** Running containers that the runtime must be told about, and those that must be started anew to be changed. */
  changes(pod: Pod, containers: readonly ContainerState[], memoryCapacity: number): readonly { readonly state: ContainerState; readonly resources: ContainerResources; readonly restart: boolean }[] {
    return resizable(pod).flatMap(container => {
      const state = containers.find(({ name, state: shown }) => name === container.name && shown === "running");
      if (!state) return [];
      const resources = containerResources(pod, container, memoryCapacity);
      const before = this.#applied.get(state.id);
      // Found running: it has what its status says, which `#given` began with.
      if (before === undefined && same(this.#given.get(container.name), container.resources)) this.#applied.set(state.id, resources);
      const known = this.#applied.get(state.id);
      if (known !== undefined && sameJson(known, resources)) return [];
      const restarts = (name: string): boolean => container.resizePolicy?.some(({ resourceName, restartPolicy }) => resourceName === name && restartPolicy === "RestartContainer") === true;
      const cpu = known?.cpuQuota !== resources.cpuQuota || known?.cpuShares !== resources.cpuShares;
      const memory = known?.memoryLimitInBytes !== resources.memoryLimitInBytes;
      return [{ state, resources, restart: (cpu && restarts("cpu")) || (memory && restarts("memory")) }];
    });
  }
  /** Everything that was given has been applied to the pod's containers. */
  settled(pod: Pod): void {
    this.#failed = undefined;
    if (this.#underWay !== undefined) this.#tell("Normal", "ResizeCompleted", "Pod resize completed", pod, this.#underWay);
    this.#underWay = undefined;
  }
  failed(pod: Pod, message: string): void {
    if (this.#failed === undefined) this.#tell("Warning", "ResizeError", "Pod resize error", pod, this.#underWay ?? pod.metadata.generation ?? 0, message);
    this.#failed = message;
  }
  /** What has not been told yet, oldest first. */
  news(): readonly ResizeNews[] {
    return this.#news.splice(0);
  }
  #tell(type: ResizeNews["type"], reason: string, prefix: string, { spec }: Pod, generation: number, error?: string): void {
    const shown = (containers: readonly Container[]) => containers.map(({ name, resources }) => ({ name, resources: resources ?? {} }));
    this.#news.push({ type, reason, message: `${prefix}: ${JSON.stringify({ ...(spec.initContainers?.length && { initContainers: shown(spec.initContainers) }), containers: shown(spec.containers), generation, error })}` });
  }

  /** What of it the pod's conditions show. */
  conditions(): readonly Pick<PodCondition, "type" | "status" | "reason" | "message">[] {
    return [
      ...(this.#pending ? [{ type: "PodResizePending", status: "True", ...this.#pending }] : []),
      ...(this.#failed === undefined ? [] : [{ type: "PodResizeInProgress", status: "True", reason: "Error", message: this.#failed }]),
    ];
  }
  forget(alive: readonly ContainerState[]): void {
    for (const id of this.#applied.keys()) if (!alive.some(container => container.id === id)) this.#applied.delete(id);
  }
}

/** Regular containers and sidecars; init containers are over too soon. */
function resizable(pod: Pod): readonly Container[] {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always")];
}
function same(a: Amounts | undefined, b: Amounts | undefined): boolean {
  const equal = (x: { readonly [name: string]: string } = {}, y: { readonly [name: string]: string } = {}): boolean =>
    Object.keys({ ...x, ...y }).every(name => x[name] !== undefined && y[name] !== undefined && compareQuantities(x[name], y[name]) === 0);
  return equal(a?.requests, b?.requests) && equal(a?.limits, b?.limits);
}
/** The spec's own writing of amounts where they are equal. */
function sameAs(spec: Amounts, shown: Amounts): Amounts {
  return same(spec, shown) ? spec : shown;
}

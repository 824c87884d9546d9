/** What a pod asks for and what a node has, as plain numbers: milli-CPUs, bytes, and counts of everything else. */
import { quantityMilli, quantityValue } from "../base/quantity.ts";
import type { Pod } from "../kinds/core/pod.ts";

export type Resources = {
  cpu: number;
  memory: number;
  ephemeral: number;
  /** Huge pages and extended resources; absent when there are none. */
  scalars: Map<string, number> | undefined;
};

type List = { readonly [name: string]: string } | undefined;
type Container = Pod["spec"]["containers"][number];

/** What scores assume of a container that asks for nothing (upstream's util.GetNonzeroRequests). */
const assumedCpu = 100, assumedMemory = 200 * 1024 * 1024;

export function noResources(): Resources {
  return { cpu: 0, memory: 0, ephemeral: 0, scalars: undefined };
}

/** Reads a resource list; `pods` is not a resource here, the number of pods is counted. */
export function resourcesOf(list: List): Resources {
  const out = noResources();
  for (const name in list) set(out, name, amountOf(name, list[name]!));
  return out;
}

function amountOf(name: string, quantity: string): number {
  return name === "cpu" ? quantityMilli(quantity) : quantityValue(quantity);
}

function set(out: Resources, name: string, amount: number): void {
  if (name === "cpu") out.cpu = amount;
  else if (name === "memory") out.memory = amount;
  else if (name === "ephemeral-storage") out.ephemeral = amount;
  else if (name !== "pods" && name !== "storage") (out.scalars ??= new Map()).set(name, amount);
}

export function addResources(to: Resources, more: Resources, times = 1): void {
  to.cpu += times * more.cpu;
  to.memory += times * more.memory;
  to.ephemeral += times * more.ephemeral;
  if (more.scalars !== undefined) for (const [name, amount] of more.scalars) (to.scalars ??= new Map()).set(name, (to.scalars.get(name) ?? 0) + times * amount);
}

function raiseTo(to: Resources, least: Resources): void {
  to.cpu = Math.max(to.cpu, least.cpu);
  to.memory = Math.max(to.memory, least.memory);
  to.ephemeral = Math.max(to.ephemeral, least.ephemeral);
  if (least.scalars !== undefined) for (const [name, amount] of least.scalars) (to.scalars ??= new Map()).set(name, Math.max(to.scalars.get(name) ?? 0, amount));
}

/** What pod-level requests may set in place of the containers' sum (component-helpers resource/helpers.go). */
function isPodLevel(name: string): boolean {
  return name === "cpu" || name === "memory" || name.startsWith("hugepages-");
}

/**
 * What the whole pod needs at its highest: containers and sidecars together, or an init container together with the
 * sidecars started before it; pod-level requests and overhead on top (component-helpers resource/helpers.go, PodRequests).
 */
export function requestsOf(spec: Pod["spec"]): Resources {
  return sum(spec, container => resourcesOf(container.resources.requests), true);
}

/** The same for scores, which take containers that name no CPU or memory to need some: unless the pod as a whole says what it needs. */
export function assumedRequestsOf(spec: Pod["spec"], requests: Resources): Resources {
  const says = saysAsWhole(spec);
  return sum(spec, assuming(!says || requests.cpu === 0, !says || requests.memory === 0), true);
}

/** Quirk: of the pod that is being placed, this score does not look at pod-level requests. See plugins/noderesources/fit.go, nodeResourceStrategyTypeMap. */
export function scoredRequestsOf(spec: Pod["spec"], assumed: Resources): Resources {
  return saysAsWhole(spec) ? sum(spec, assuming(true, true), false) : assumed;
}

function saysAsWhole(spec: Pod["spec"]): boolean {
  return Object.keys(spec.resources?.requests ?? {}).some(isPodLevel);
}

function assuming(cpu: boolean, memory: boolean): (container: Container) => Resources {
  return ({ resources: { requests } }) => {
    const out = resourcesOf(requests);
    if (cpu && requests?.["cpu"] === undefined) out.cpu = assumedCpu;
    if (memory && requests?.["memory"] === undefined) out.memory = assumedMemory;
    return out;
  };
}

function sum(spec: Pod["spec"], ask: (container: Container) => Resources, withPodLevel: boolean): Resources {
  const total = noResources();
  for (const container of spec.containers) addResources(total, ask(container));
  if (spec.initContainers !== undefined) {
    const sidecars = noResources(), highest = noResources();
    for (const container of spec.initContainers) {
      const own = ask(container);
      if (container.restartPolicy === "Always") {
        addResources(total, own);
        addResources(sidecars, own);
        raiseTo(highest, sidecars);
      } else {
        addResources(own, sidecars);
        raiseTo(highest, own);
      }
    }
    raiseTo(total, highest);
  }
  const podLevel: List = withPodLevel ? spec.resources?.requests : undefined;
  for (const name in podLevel) if (isPodLevel(name)) set(total, name, amountOf(name, podLevel[name]!));
  if (spec.overhead !== undefined) addResources(total, resourcesOf(spec.overhead));
  return total;
}

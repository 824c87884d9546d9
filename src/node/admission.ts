/** Whether this node takes a pod that was bound to it: the scheduler may not have been asked, or may have known less (pkg/kubelet/lifecycle/predicate.go). */
import { addQuantities, compareQuantities, formatQuantity, parseQuantity, quantityMilli, quantityValue, subtractQuantities } from "../base/quantity.ts";
import type { Node } from "../kinds/core/node.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { isTerminal } from "./containers.ts";
import type { NodeIdentity } from "./machine.ts";
import { podAmount, qosOf } from "./resources.ts";
import { hostPortsOf } from "./sandbox-config.ts";

type Refusal = { readonly reason: string; readonly message: string };

export class Admission {
  readonly #allocatable: { readonly [resource: string]: string };
  readonly #identity: NodeIdentity;
  readonly #pods: () => readonly Pod[];
  readonly #node: () => Node | undefined;
  readonly #pressures: () => ReadonlySet<string>;
  constructor(allocatable: { readonly [resource: string]: string }, identity: NodeIdentity, pods: () => readonly Pod[], node: () => Node | undefined, pressures: () => ReadonlySet<string>) {
    this.#allocatable = allocatable;
    this.#identity = identity;
    this.#pods = pods;
    this.#node = node;
    this.#pressures = pressures;
  }

  /** A node that is short of something takes critical pods only; of memory alone, also those that ask for some (pkg/kubelet/eviction: Admit). */
  #short(pod: Pod): Refusal | undefined {
    const pressures = this.#pressures();
    if (pressures.size === 0 || (pod.spec.priority ?? 0) >= 2_000_000_000) return undefined;
    const tolerated = (pod.spec.tolerations ?? []).some(({ key = "", operator = "Equal", value = "", effect = "" }) =>
      (key === "" || key === "node.kubernetes.io/memory-pressure") && (operator === "Exists" || (key !== "" && value === "")) && (effect === "" || effect === "NoSchedule"));
    if (pressures.size === 1 && pressures.has("MemoryPressure") && (qosOf(pod) !== "BestEffort" || tolerated)) return undefined;
    return refused("Evicted", `The node had condition: [${[...pressures].join(" ")}]. `);
  }

  refuse(pod: Pod): Refusal | undefined {
    const short = this.#short(pod);
    if (short !== undefined) return short;
    // Our containerd (1.6) always adds the image's groups, and the node says of itself nothing else.
    if (pod.spec.securityContext?.supplementalGroupsPolicy === "Strict") return refused("SupplementalGroupsPolicyNotSupported", "SupplementalGroupsPolicy=Strict is not supported in this node");
    const others = this.#pods().filter(other => other.metadata.uid !== pod.metadata.uid && !isTerminal(other));
    const node = this.#node();
    const labels = node?.metadata.labels;
    const allocatable = { ...node?.status.allocatable, ...this.#allocatable };
    if (labels && Object.entries(pod.spec.nodeSelector ?? {}).some(([key, value]) => labels[key] !== value))
      return refused("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector");
    const capacity = this.#identity.podsMax;
    if (others.length + 1 > capacity) return outOf("pods", 1, others.length, capacity);
    for (const resource of Object.keys(allocatable).filter(name => name !== "pods")) {
      const wanted = podAmount(pod, "requests", resource);
      if (compareQuantities(wanted, "0") === 0) continue;
      const used = others.reduce((sum, other) => addQuantities(sum, parseQuantity(podAmount(other, "requests", resource))), parseQuantity("0"));
      const free = subtractQuantities(parseQuantity(allocatable[resource]!), used);
      const number = resource === "cpu" ? quantityMilli : quantityValue;
      if (compareQuantities(parseQuantity(wanted), free) > 0) return outOf(resource, number(wanted), number(formatQuantity(used)), number(allocatable[resource]!));
    }
    const taken = others.flatMap(hostPortsOf);
    const clash = hostPortsOf(pod).some(port => taken.some(other => other.hostPort === port.hostPort && other.protocol === port.protocol && (other.hostIP === port.hostIP || [other.hostIP, port.hostIP].some(ip => ip === "" || ip === "0.0.0.0"))));
    return clash ? refused("NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports") : undefined;
  }
}

/** Why a pod that runs here cannot be given what it now asks for. */
export function resizeRefusal(refusal: Refusal | undefined, pod: Pod, allocatable: { readonly [resource: string]: string }): { readonly reason: "Deferred" | "Infeasible"; readonly message: string } | undefined {
  if (!refusal) return undefined;
  for (const resource of ["cpu", "memory"]) {
    const wanted = podAmount(pod, "requests", resource);
    const most = allocatable[resource];
    const number = resource === "cpu" ? quantityMilli : quantityValue;
    if (most !== undefined && compareQuantities(wanted, most) > 0) return { reason: "Infeasible", message: `Node didn't have enough capacity: ${resource}, requested: ${number(wanted)}, capacity: ${number(most)}` };
  }
  return { reason: "Deferred", message: refusal.message.replace(/^Pod was rejected: /, "") };
}

function refused(reason: string, message: string): Refusal {
  return { reason, message: `Pod was rejected: ${message}` };
}
function outOf(resource: string, requested: number, used: number, capacity: number): Refusal {
  return refused(`OutOf${resource}`, `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`);
}

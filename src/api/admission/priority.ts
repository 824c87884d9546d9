import { Pod } from "../../kinds/core/pod.ts";
import type { Reader } from "../context.ts";
import type { AdmissionStep } from "./admission.ts";
import { refuse } from "./namespace-lifecycle.ts";

type PriorityClass = { readonly value: number; readonly preemptionPolicy?: string };

/** The two classes that every cluster has, also while the objects that stand for them are missing (pkg/apis/scheduling/v1/helpers.go). */
const system: ReadonlyMap<string, PriorityClass> = new Map([["system-node-critical", { value: 2_000_001_000 }], ["system-cluster-critical", { value: 2_000_000_000 }]]);

/** A pod's priority is what its class says (plugin/pkg/admission/priority). */
export const priority: AdmissionStep = {
  name: "Priority",
  mutate(request) {
    const { kind, subresource, operation, object, previous, read } = request;
    if (kind !== Pod || subresource !== "") return;
    if (operation === "UPDATE") {
      // Old clients send pods back without the fields that admission set.
      if (object.spec.priority === undefined && previous.spec.priority !== undefined) object.spec.priority = previous.spec.priority;
      if (object.spec.preemptionPolicy === undefined && previous.spec.preemptionPolicy !== undefined) object.spec.preemptionPolicy = previous.spec.preemptionPolicy;
      return;
    }
    if (operation !== "CREATE") return;
    const name: string = object.spec.priorityClassName ?? "";
    const found = name === "" ? defaultClass(read) : classOf(read, name);
    if (found === undefined) throw refuse(request, `no PriorityClass with name ${name} was found`);
    if (found.name !== "") object.spec.priorityClassName = found.name;
    if (object.spec.priority !== undefined && object.spec.priority !== found.value)
      throw refuse(request, `the integer value of priority (${object.spec.priority}) must not be provided in pod spec; priority admission controller computed ${found.value} from the given PriorityClass name`);
    object.spec.priority = found.value;
    const policy = found.preemptionPolicy ?? "PreemptLowerPriority";
    if (object.spec.preemptionPolicy !== undefined && object.spec.preemptionPolicy !== policy)
      throw refuse(request, `the string value of PreemptionPolicy (${object.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`);
    object.spec.preemptionPolicy = policy;
  },
};

function classOf(read: Reader, name: string): (PriorityClass & { readonly name: string }) | undefined {
  const found: PriorityClass | undefined = read.get("scheduling.k8s.io", "priorityclasses", "", name) ?? system.get(name);
  return found === undefined ? undefined : { ...found, name };
}

/** The lowest of the classes marked as the default, else none: priority 0. */
function defaultClass(read: Reader): PriorityClass & { readonly name: string } {
  const marked = read.list("scheduling.k8s.io", "priorityclasses", "").filter(({ globalDefault }) => globalDefault === true).sort((a, b) => a.value - b.value)[0];
  return marked === undefined ? { name: "", value: 0 } : { ...marked, name: marked.metadata.name };
}

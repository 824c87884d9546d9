/** A pod of a RuntimeClass takes over what the class says: overhead, node labels and tolerations (plugin/pkg/admission/runtimeclass). */
import { getOwn, sameJson } from "../../base/json.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import { refuse } from "./namespace-lifecycle.ts";

export const runtimeClass: AdmissionStep = {
  name: "RuntimeClass",
  mutate(request) {
    const found = classOf(request);
    if (found === undefined) return;
    const { spec } = request.object;
    const { overhead, scheduling } = found;
    if (overhead?.podFixed !== undefined) {
      if (spec.overhead !== undefined && !sameJson(spec.overhead, overhead.podFixed)) throw refuse(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
      spec.overhead = { ...overhead.podFixed };
    }
    for (const [label, value] of Object.entries<string>(scheduling?.nodeSelector ?? {})) {
      const own = getOwn<string>(spec.nodeSelector ?? {}, label);
      if (own !== undefined && own !== value) throw refuse(request, `conflict: runtimeClass.scheduling.nodeSelector[${label}] = ${value}; pod.spec.nodeSelector[${label}] = ${own}`);
      spec.nodeSelector = { ...spec.nodeSelector, [label]: value };
    }
    const missing = (scheduling?.tolerations ?? []).filter((toleration: unknown) => !(spec.tolerations ?? []).some((own: unknown) => sameJson(own, toleration)));
    if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...structuredClone(missing)];
  },
  validate(request) {
    if (!isNewPod(request)) return;
    const { overhead } = request.object.spec;
    const wanted = classOf(request)?.overhead?.podFixed;
    if (wanted === undefined && overhead !== undefined && Object.keys(overhead).length > 0) throw refuse(request, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    if (wanted !== undefined && !sameJson(wanted, overhead)) throw refuse(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  },
};

function isNewPod({ kind, subresource, operation }: AdmissionRequest): boolean {
  return kind === Pod && subresource === "" && operation === "CREATE";
}

function classOf(request: AdmissionRequest): any | undefined {
  const name: string = isNewPod(request) ? request.object.spec.runtimeClassName ?? "" : "";
  if (name === "") return undefined;
  const found = request.read.get("node.k8s.io", "runtimeclasses", "", name);
  if (found === undefined) throw refuse(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  return found;
}

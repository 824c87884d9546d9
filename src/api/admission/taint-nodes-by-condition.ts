import { Node } from "../../kinds/core/node.ts";
import type { AdmissionStep } from "./admission.ts";

const notReady = "node.kubernetes.io/not-ready";

/** A new node takes no pods before it was seen ready (plugin/pkg/admission/nodetaint). */
export const taintNodesByCondition: AdmissionStep = {
  name: "TaintNodesByCondition",
  mutate({ kind, subresource, operation, object }) {
    if (kind !== Node || subresource !== "" || operation !== "CREATE") return;
    const taints: readonly any[] = object.spec.taints ?? [];
    if (!taints.some(({ key, effect }) => key === notReady && effect === "NoSchedule")) object.spec.taints = [...taints, { key: notReady, effect: "NoSchedule" }];
  },
};

import type { Filter, Rejection } from "../framework.ts";
import { namedNodes, requiredNodes } from "../node-selection.ts";

const rejection: Rejection = { plugin: "NodeAffinity", reasons: ["node(s) didn't match Pod's node affinity/selector"], resolvable: false };
const contradiction: Rejection = { plugin: "NodeAffinity", reasons: ["pod affinity terms conflict"], resolvable: false };

/** The node must have what the pod's nodeSelector and required node affinity ask for. */
export const nodeAffinity: Filter = {
  name: "NodeAffinity",
  prepare: ({ pod }) => {
    const matches = requiredNodes(pod.spec);
    if (matches === undefined) return undefined;
    const only = namedNodes(pod.spec);
    if (only?.size === 0) return contradiction;
    return { check: node => (matches(node) ? undefined : rejection), ...(only === undefined ? {} : { only }) };
  },
  wakes: (event, { pod }) => (event.type === "node-added" || (event.type === "node-changed" && event.labels)) && requiredNodes(pod.spec)?.(event.node) !== false,
};

import type { Filter, Rejection } from "../framework.ts";
import { toleratesAll } from "../tolerations.ts";

const rejection: Rejection = { plugin: "TaintToleration", reasons: ["node(s) had untolerated taint(s)"], resolvable: false };

/** A node's NoSchedule and NoExecute taints must all be tolerated. */
export const taintToleration: Filter = {
  name: "TaintToleration",
  prepare: ({ pod }) => ({ check: node => (node.barriers.length === 0 || toleratesAll(pod.spec.tolerations, node.barriers) ? undefined : rejection) }),
  wakes: (event, { pod }) => (event.type === "node-added" || (event.type === "node-changed" && event.taints)) && toleratesAll(pod.spec.tolerations, event.node.barriers),
};

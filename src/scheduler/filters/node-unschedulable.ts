import type { Filter, Rejection } from "../framework.ts";
import { toleratedBy } from "../tolerations.ts";

const rejection: Rejection = { plugin: "NodeUnschedulable", reasons: ["node(s) were unschedulable"], resolvable: false };
const taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

/** Cordoned nodes take only pods that tolerate the taint which cordoning adds. */
export const nodeUnschedulable: Filter = {
  name: "NodeUnschedulable",
  prepare: ({ pod }) => {
    const exempt = toleratedBy(pod.spec.tolerations, taint);
    return exempt ? undefined : { check: node => (node.unschedulable ? rejection : undefined) };
  },
  wakes: event => event.type === "node-added" || (event.type === "node-changed" && (event.schedulable || event.taints)),
};

/** Topology spread constraints of a pod, its own or those that every pod with siblings has. */
import { Selector, selectorOf } from "../base/selector.ts";
import type { Cluster } from "./cluster.ts";
import type { NodeInfo } from "./node-info.ts";
import { requiredNodes } from "./node-selection.ts";
import type { PodInfo, PodTerm } from "./pod-info.ts";
import { toleratesAll } from "./tolerations.ts";

export type Constraint = {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: Selector;
  readonly honorAffinity: boolean;
  readonly honorTaints: boolean;
};
export const hostname = "kubernetes.io/hostname";

/** Upstream's defaults for pods without constraints of their own: spread over nodes, and less strictly over zones (podtopologyspread/plugin.go). */
const systemDefaults = [{ topologyKey: hostname, maxSkew: 3 }, { topologyKey: "topology.kubernetes.io/zone", maxSkew: 5 }] as const;

export function ownConstraints({ pod, labels }: PodInfo, action: "DoNotSchedule" | "ScheduleAnyway"): readonly Constraint[] {
  const given = pod.spec.topologySpreadConstraints;
  if (given === undefined) return [];
  return given.filter(constraint => constraint.whenUnsatisfiable === action).map(constraint => {
    const extra = (constraint.matchLabelKeys ?? []).filter(key => Object.hasOwn(labels, key)).map(key => ({ key, operator: "=" as const, values: [labels[key]!] }));
    const selector = selectorOf(constraint.labelSelector);
    return {
      topologyKey: constraint.topologyKey, maxSkew: constraint.maxSkew, minDomains: constraint.minDomains ?? 1,
      selector: extra.length === 0 ? selector : new Selector([...extra, ...selector.requirements], selector.nothing),
      honorAffinity: (constraint.nodeAffinityPolicy ?? "Honor") === "Honor", honorTaints: constraint.nodeTaintsPolicy === "Honor",
    };
  });
}

export function defaultConstraints(pod: PodInfo, cluster: Cluster): readonly Constraint[] {
  const selector = cluster.lookups.siblingsOf(pod.pod);
  if (selector.empty || selector.nothing) return [];
  return systemDefaults.map(each => ({ ...each, minDomains: 1, selector, honorAffinity: true, honorTaints: false }));
}

/** Pods of this pod's namespace that a constraint counts, by node; those being deleted are not counted. */
export function countsOf(pod: PodInfo, constraint: Constraint, cluster: Cluster): ReadonlyMap<NodeInfo, number> {
  if (constraint.selector.empty) return new Map();
  const term: PodTerm = {
    text: `${pod.namespace}\n${constraint.selector.nothing ? "nothing" : constraint.selector.toString()}`, topologyKey: "",
    namespaces: new Set([pod.namespace]), namespaceSelector: undefined, selector: constraint.selector,
  };
  return cluster.podsMatching([term], false).perNode;
}

/** Whether a node's pods count, by the constraint's inclusion policies. */
export function inclusion({ pod }: PodInfo): (constraint: Constraint, node: NodeInfo) => boolean {
  const required = requiredNodes(pod.spec);
  return (constraint, node) => (!constraint.honorAffinity || required === undefined || required(node)) && (!constraint.honorTaints || toleratesAll(pod.spec.tolerations, node.barriers));
}

export function hasAllKeys(node: NodeInfo, constraints: readonly Constraint[]): boolean {
  for (const { topologyKey } of constraints) if (node.label(topologyKey) === undefined) return false;
  return true;
}

/** Whether a node is one that a pod may be on by its own wishes: names, labels and taints (upstream component-helpers nodeaffinity). */
import { Selector, type Operator, type Requirement } from "../base/selector.ts";
import type { Node } from "../kinds/core/node.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { tolerates } from "./taints.ts";

type Spec = Pick<Pod["spec"], "nodeName" | "nodeSelector" | "affinity" | "tolerations">;
type Expression = { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined };
const operators: { readonly [operator: string]: Operator } = { In: "in", NotIn: "notin", Exists: "exists", DoesNotExist: "!", Gt: "gt", Lt: "lt" };

function matches(expressions: readonly Expression[], labels: { readonly [name: string]: string }): boolean {
  return new Selector(expressions.map(({ key, operator, values = [] }): Requirement => ({ key, operator: operators[operator] ?? "in", values }))).matches(labels);
}

/** spec.nodeName, spec.nodeSelector and required node affinity. An empty term matches nothing. */
export function isWanted({ nodeName, nodeSelector = {}, affinity }: Spec, { metadata }: Node): boolean {
  const labels = metadata.labels ?? {};
  if (nodeName && nodeName !== metadata.name) return false;
  if (!Object.entries(nodeSelector).every(([name, value]) => labels[name] === value)) return false;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms === undefined || terms.some(({ matchExpressions = [], matchFields = [] }) =>
    matchExpressions.length + matchFields.length > 0 && matches(matchExpressions, labels) && matches(matchFields, { "metadata.name": metadata.name }));
}
/** Does the pod bear all the node's taints of these effects? */
export function bearsTaints({ tolerations = [] }: Spec, { spec }: Node, effects: readonly string[]): boolean {
  return (spec.taints ?? []).every(taint => !effects.includes(taint.effect) || tolerations.some(toleration => tolerates(toleration, taint)));
}

/** Node selectors and node affinity: which nodes a pod asks for (component-helpers scheduling/corev1/nodeaffinity). */
import { getOwn } from "../base/json.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { NodeInfo } from "./node-info.ts";

type NodeAffinity = NonNullable<NonNullable<Pod["spec"]["affinity"]>["nodeAffinity"]>;
type Term = NonNullable<NodeAffinity["requiredDuringSchedulingIgnoredDuringExecution"]>["nodeSelectorTerms"][number];
type Requirement = NonNullable<Term["matchExpressions"]>[number];

/** A test of what the pod demands; `undefined` when it demands nothing. */
export function requiredNodes(spec: Pod["spec"]): ((node: NodeInfo) => boolean) | undefined {
  const labels = Object.entries(spec.nodeSelector ?? {});
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (labels.length === 0 && required === undefined) return undefined;
  return node => labels.every(([key, value]) => node.label(key) === value) && (required === undefined || required.nodeSelectorTerms.some(term => termMatchesNode(term, node)));
}

/** A term without requirements matches no node. */
export function termMatchesNode(term: Term, node: NodeInfo): boolean {
  const expressions = term.matchExpressions ?? [], fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  for (const requirement of expressions) if (!meets(requirement, getOwn(node.labels, requirement.key))) return false;
  for (const requirement of fields) if (requirement.key !== "metadata.name" || !meets(requirement, node.name)) return false;
  return true;
}

function meets({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case "In": return value !== undefined && values.includes(value);
    case "NotIn": return value === undefined || !values.includes(value);
    case "Exists": return value !== undefined;
    case "DoesNotExist": return value === undefined;
    case "Gt": case "Lt": {
      const integer = /^[+-]?\d{1,19}$/;
      if (value === undefined || !integer.test(value) || !integer.test(values[0] ?? "")) return false;
      return operator === "Gt" ? BigInt(value) > BigInt(values[0]!) : BigInt(value) < BigInt(values[0]!);
    }
    default: return false;
  }
}

/** The nodes that the pod names in every alternative of its required affinity, as DaemonSet pods do; `undefined` if some alternative names none. */
export function namedNodes(spec: Pod["spec"]): ReadonlySet<string> | undefined {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined || terms.length === 0) return undefined;
  const all = new Set<string>();
  for (const term of terms) {
    let names: ReadonlySet<string> | undefined;
    for (const { key, operator, values = [] } of term.matchFields ?? []) {
      if (key !== "metadata.name" || operator !== "In") continue;
      names = names === undefined ? new Set(values) : new Set(values.filter(value => names!.has(value)));
    }
    if (names === undefined) return undefined;
    for (const name of names) all.add(name);
  }
  return all;
}

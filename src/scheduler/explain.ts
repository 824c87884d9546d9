/** What users are told of a pod that has no node: upstream's sentence, word for word (framework/types.go, FitError). */
import type { Diagnosis } from "./schedule-pod.ts";

/** `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: …`; `afterwards` is what preemption says. */
export function explain(diagnosis: Diagnosis, afterwards = ""): string {
  const { nodesCount, everywhere, byNode, elsewhere } = diagnosis;
  let text = `0/${nodesCount} nodes are available:`;
  if (everywhere !== undefined) text += ` ${everywhere.reasons.join(", ")}.`;
  else {
    const counts = new Map<string, number>();
    const count = (reason: string, times: number): void => void counts.set(reason, (counts.get(reason) ?? 0) + times);
    for (const { reasons } of byNode.values()) for (const reason of reasons) count(reason, 1);
    if (byNode.size < nodesCount) for (const reason of elsewhere?.reasons ?? []) count(reason, nodesCount - byNode.size);
    const lines = Array.from(counts, ([reason, times]) => `${times} ${reason}`).sort((a, b) => (a < b ? -1 : 1));
    if (lines.length > 0) text += ` ${lines.join(", ")}.`;
  }
  return afterwards === "" ? text : `${text} ${afterwards}`;
}

/** The plugins that rejected the pod: only what helps one of them is worth another try. */
export function rejectedBy({ everywhere, byNode }: Diagnosis): ReadonlySet<string> {
  const plugins = new Set(Array.from(byNode.values(), rejection => rejection.plugin));
  return everywhere === undefined ? plugins : plugins.add(everywhere.plugin);
}

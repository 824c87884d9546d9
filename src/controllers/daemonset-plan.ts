/** Which nodes get and lose a DaemonSet's pod: pure (upstream pkg/controller/daemon daemon_controller.go, update.go). */
import { msOf } from "../base/time.ts";
import type { DaemonSet } from "../kinds/apps/daemonset.ts";
import type { Node } from "../kinds/core/node.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Toleration } from "../kinds/core/toleration.ts";
import { scaledValue } from "./int-or-percent.ts";
import { bearsTaints, isWanted } from "./node-fit.ts";
import { availableAt, isPodFinished, isPodReady } from "./pods.ts";

export const revisionLabel = "controller-revision-hash";

/** What daemons bear that others do not: they belong to nodes in trouble as well. */
export function daemonTolerations({ hostNetwork }: { readonly hostNetwork?: boolean | undefined }): readonly Toleration[] {
  const bear = (name: string, effect: "NoExecute" | "NoSchedule"): Toleration => ({ key: `node.kubernetes.io/${name}`, operator: "Exists", effect });
  return [
    bear("not-ready", "NoExecute"), bear("unreachable", "NoExecute"), bear("disk-pressure", "NoSchedule"), bear("memory-pressure", "NoSchedule"), bear("pid-pressure", "NoSchedule"), bear("unschedulable", "NoSchedule"),
    ...(hostNetwork === true ? [bear("network-unavailable", "NoSchedule")] : []),
  ];
}

/** The node a daemon pod is meant for, scheduled or not: the scheduler finds it by an affinity to the node's name. */
export function nodeOf({ spec }: Pod): string {
  if (spec.nodeName) return spec.nodeName;
  for (const { matchFields = [] } of spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [])
    for (const { key, operator, values = [] } of matchFields) if (key === "metadata.name" && operator === "In" && values.length === 1) return values[0]!;
  return "";
}

/** Should a pod be made on the node, and may one that is there stay? */
export function fits({ spec: { template } }: DaemonSet, node: Node): { readonly run: boolean; readonly stay: boolean } {
  const spec = { ...template.spec, tolerations: [...(template.spec.tolerations ?? []), ...daemonTolerations(template.spec)] } as Pod["spec"];
  if (!isWanted(spec, node)) return { run: false, stay: false };
  return bearsTaints(spec, node, ["NoSchedule", "NoExecute"]) ? { run: true, stay: true } : { run: false, stay: bearsTaints(spec, node, ["NoExecute"]) };
}

export type Steps = { readonly create: readonly string[]; readonly remove: readonly { readonly pod: Pod; readonly why: "failed" | "succeeded" | "surplus" | "updated" }[] };

const isDying = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;
const oldestFirst = (a: Pod, b: Pod): number => (a.spec.nodeName ? 0 : 1) - (b.spec.nodeName ? 0 : 1) || (msOf(a.metadata.creationTimestamp) ?? 0) - (msOf(b.metadata.creationTimestamp) ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1);

export function planSteps(set: DaemonSet, nodes: readonly Node[], pods: readonly Pod[], hash: string, now: number): Steps {
  const byNode = new Map<string, Pod[]>(nodes.map(({ metadata }) => [metadata.name, []]));
  for (const pod of pods) byNode.set(nodeOf(pod), [...(byNode.get(nodeOf(pod)) ?? []), pod]);
  const { surge } = bounds(set, nodes);
  const create: string[] = [];
  const remove: Steps["remove"][number][] = [];
  const known = new Map(nodes.map(node => [node.metadata.name, node]));
  for (const [name, there] of byNode) {
    const node = known.get(name);
    // A pod whose node is gone is the pod collector's.
    const { run, stay } = node === undefined ? { run: false, stay: name !== "" } : fits(set, node);
    const living = there.filter(pod => !isDying(pod));
    if (!stay) {
      for (const pod of living) remove.push({ pod, why: "surplus" });
      continue;
    }
    const finished = living.filter(isPodFinished);
    for (const pod of finished) remove.push({ pod, why: pod.status.phase === "Failed" ? "failed" : "succeeded" });
    const running = living.filter(pod => !isPodFinished(pod)).sort(oldestFirst);
    if (run && there.length === 0) create.push(name);
    // One of each template may be there while a surge goes on.
    const kept = surge === 0 ? running.slice(0, 1) : [running.find(pod => hashIn(pod) !== hash), running.find(pod => hashIn(pod) === hash)];
    for (const pod of running) if (!kept.includes(pod)) remove.push({ pod, why: "surplus" });
  }
  if (set.spec.updateStrategy.type === "RollingUpdate" && create.length === 0) {
    const update = planUpdate(set, nodes, byNode, hash, now);
    create.push(...update.create);
    remove.push(...update.remove.filter(({ pod }) => !remove.some(other => other.pod === pod)));
  }
  return { create, remove };
}
const hashIn = (pod: Pod): string => pod.metadata.labels?.[revisionLabel] ?? "";

function bounds(set: DaemonSet, nodes: readonly Node[]): { readonly surge: number; readonly unavailable: number } {
  const desired = nodes.filter(node => fits(set, node).run).length;
  const { maxSurge, maxUnavailable } = set.spec.updateStrategy.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, desired, "up");
  const unavailable = scaledValue(maxUnavailable, desired, "up");
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** Old pods that are not available are replaced at once, available ones as far as the bounds allow. */
function planUpdate(set: DaemonSet, nodes: readonly Node[], byNode: ReadonlyMap<string, readonly Pod[]>, hash: string, now: number): Steps {
  const { surge, unavailable } = bounds(set, nodes);
  const isAvailable = (pod: Pod): boolean => (availableAt(pod, set.spec.minReadySeconds ?? 0) ?? Infinity) <= now;
  const broken: Pod[] = [];
  const candidates: Pod[] = [];
  const surging: string[] = [];
  let missing = 0;
  let surges = 0;
  for (const node of nodes) {
    if (!fits(set, node).run) continue;
    const living = (byNode.get(node.metadata.name) ?? []).filter(pod => !isDying(pod) && !isPodFinished(pod));
    const fresh = living.find(pod => hashIn(pod) === hash);
    const old = living.find(pod => hashIn(pod) !== hash);
    if (surge > 0) {
      if (old === undefined) continue;
      if (fresh !== undefined) {
        surges++;
        if (isAvailable(fresh)) broken.push(old);
      } else if (isAvailable(old)) surging.push(node.metadata.name);
      else broken.push(old);
    } else if (old === undefined) {
      if (fresh === undefined || !isAvailable(fresh)) missing++;
    } else if (isAvailable(old)) candidates.push(old);
    else {
      missing++;
      broken.push(old);
    }
  }
  const removed = [...broken, ...candidates.slice(0, Math.max(0, unavailable - missing))];
  return { create: surging.slice(0, Math.max(0, surge - surges)), remove: removed.map(pod => ({ pod, why: "updated" as const })) };
}

export function planStatus(set: DaemonSet, nodes: readonly Node[], pods: readonly Pod[], hash: string, now: number): DaemonSet["status"] {
  const counts = { desired: 0, current: 0, wrong: 0, ready: 0, updated: 0, available: 0 };
  for (const node of nodes) {
    const there = pods.filter(pod => nodeOf(pod) === node.metadata.name).sort(oldestFirst);
    const { run } = fits(set, node);
    if (!run && there.length > 0) counts.wrong++;
    if (!run) continue;
    counts.desired++;
    const pod = there.find(candidate => hashIn(candidate) === hash && isPodReady(candidate)) ?? there[0];
    if (pod === undefined) continue;
    counts.current++;
    if (hashIn(pod) === hash) counts.updated++;
    if (isPodReady(pod)) counts.ready++;
    if ((availableAt(pod, set.spec.minReadySeconds ?? 0) ?? Infinity) <= now) counts.available++;
  }
  const { collisionCount, conditions } = set.status;
  const unavailable = counts.desired - counts.available;
  return {
    currentNumberScheduled: counts.current, numberMisscheduled: counts.wrong, desiredNumberScheduled: counts.desired, numberReady: counts.ready,
    ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }), ...(counts.updated > 0 ? { updatedNumberScheduled: counts.updated } : {}),
    ...(counts.available > 0 ? { numberAvailable: counts.available } : {}), ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}),
    ...(collisionCount === undefined ? {} : { collisionCount }), ...(conditions === undefined ? {} : { conditions }),
  };
}

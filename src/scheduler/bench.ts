/** How many simple pods a second find a node among many: the scheduling itself, without the API around it. */
import type { Random } from "../base/random.ts";
import { everything } from "../base/selector.ts";
import type { Node } from "../kinds/core/node.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { Cluster } from "./cluster.ts";
import { PodInfo } from "./pod-info.ts";
import { schedulePod } from "./schedule-pod.ts";
import { noVolumeNeeds } from "./volume-needs.ts";

export type SchedulingBench = { readonly nodes: number; readonly pods: number; readonly shape: "basic" | "spread" | "anti-affinity" };

/** Places `pods` pods of one Deployment on `nodes` nodes, one after the other; returns how many found a node. Time it from outside. */
export function benchScheduling({ nodes, pods, shape }: SchedulingBench, random: Random): number {
  const cluster = new Cluster({ namespaceLabels: () => ({}), siblingsOf: () => everything, budgetsOf: () => [], volumesOf: () => noVolumeNeeds });
  for (let i = 0; i < nodes; i++) cluster.setNode(benchNode(i));
  let placed = 0;
  for (let i = 0; i < pods; i++) {
    const pod = new PodInfo(benchPod(i, shape));
    const decision = schedulePod(pod, cluster, random);
    if (decision.node === undefined) continue;
    cluster.assume(pod, decision.node);
    placed++;
  }
  return placed;
}

export function benchNode(i: number): Node {
  return {
    apiVersion: "v1", kind: "Node",
    metadata: { name: `node-${i}`, labels: { "kubernetes.io/hostname": `node-${i}`, "topology.kubernetes.io/zone": `zone-${i % 3}` } },
    spec: {}, status: { allocatable: { cpu: "32", memory: "256Gi", "ephemeral-storage": "100Gi", pods: "110" } },
  } as unknown as Node;
}

function benchPod(i: number, shape: SchedulingBench["shape"]): Pod {
  const labels = { app: "bench" }, selector = { labelSelector: { matchLabels: labels } };
  return {
    apiVersion: "v1", kind: "Pod", metadata: { name: `pod-${i}`, namespace: "default", uid: `uid-${i}`, labels },
    spec: {
      containers: [{ name: "c", image: "pause", resources: { requests: { cpu: "100m", memory: "500Mi" } } }],
      ...(shape === "spread" ? { topologySpreadConstraints: [{ maxSkew: 5, topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "DoNotSchedule", ...selector }] } : {}),
      ...(shape === "anti-affinity" ? { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "kubernetes.io/hostname", ...selector }] } } } : {}),
    },
    status: {},
  } as unknown as Pod;
}

/** What a node holds now, for its /metrics: counted when somebody asks. */
import type { Metrics } from "../base/metrics.ts";
import type { ClaimUsage, Seen } from "./stats.ts";
import type { DiskUsage } from "./usage.ts";

const volumeFigures: readonly (readonly [name: string, help: string, value: (disk: DiskUsage) => number])[] = [
  ["capacity_bytes", "Bytes that the volume can hold.", ({ capacity }) => capacity], ["available_bytes", "Bytes free in the volume.", ({ available }) => available], ["used_bytes", "Bytes used in the volume.", ({ used }) => used],
  ["inodes", "Inodes that the volume can hold.", ({ inodes }) => inodes], ["inodes_free", "Inodes free in the volume.", ({ inodesFree }) => inodesFree], ["inodes_used", "Inodes used in the volume.", ({ inodes, inodesFree }) => inodes - inodesFree],
];

/** `claims`: measured before the figures are written. */
export function observeNode(metrics: Metrics, seen: () => readonly Seen[], claims: () => readonly ClaimUsage[]): void {
  metrics.observed("kubelet_running_pods", "Pods whose sandbox runs.", () => seen().filter(({ state }) => state?.sandboxes.some(({ ready }) => ready)).length);
  metrics.observedSeries("kubelet_running_containers", "Containers that the runtime holds, by their state.", ["container_state"], () => {
    const counts = new Map<string, number>();
    for (const { state } of seen()) for (const container of state?.containers ?? []) counts.set(container.state, (counts.get(container.state) ?? 0) + 1);
    return [...counts].map(([state, count]) => [[state], count] as const);
  });
  for (const [name, help, value] of volumeFigures) metrics.observedSeries(`kubelet_volume_stats_${name}`, help, ["namespace", "persistentvolumeclaim"], () => claims().map(({ namespace, claim, disk }) => [[namespace, claim], value(disk)] as const));
}

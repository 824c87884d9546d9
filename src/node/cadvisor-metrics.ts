/** The kubelet's /metrics/cadvisor: containers' figures under the names that Prometheus' users know (google/cadvisor metrics/prometheus.go). */
import type { Figure } from "./stats.ts";
import type { DiskIo, MachineUsage, NetworkUsage } from "./usage.ts";

type Metric = {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  /** Undefined: this one has no such figure. */
  readonly value: (figure: Figure, nowMs: number) => number | undefined;
  readonly extra?: { readonly [label: string]: string };
};
const nanos = 1e-9;
const metrics: readonly Metric[] = [
  { name: "container_cpu_cfs_periods_total", type: "counter", help: "Number of elapsed enforcement period intervals.", value: ({ usage }) => (usage.limits.cpuQuota === undefined ? undefined : usage.throttled.periods) },
  { name: "container_cpu_cfs_throttled_periods_total", type: "counter", help: "Number of throttled period intervals.", value: ({ usage }) => (usage.limits.cpuQuota === undefined ? undefined : usage.throttled.throttledPeriods) },
  { name: "container_cpu_cfs_throttled_seconds_total", type: "counter", help: "Total time duration the container has been throttled.", value: ({ usage }) => (usage.limits.cpuQuota === undefined ? undefined : usage.throttled.nanos * nanos) },
  { name: "container_cpu_system_seconds_total", type: "counter", help: "Cumulative system cpu time consumed in seconds.", value: ({ usage }) => usage.cpuSystemNanos * nanos },
  { name: "container_cpu_usage_seconds_total", type: "counter", help: "Cumulative cpu time consumed in seconds.", value: ({ usage }) => usage.cpuNanos * nanos, extra: { cpu: "total" } },
  { name: "container_cpu_user_seconds_total", type: "counter", help: "Cumulative user cpu time consumed in seconds.", value: ({ usage }) => usage.cpuUserNanos * nanos },
  { name: "container_last_seen", type: "gauge", help: "Last time a container was seen by the exporter", value: (_, nowMs) => Math.floor(nowMs / 1000) },
  { name: "container_memory_cache", type: "gauge", help: "Number of bytes of page cache memory.", value: ({ usage }) => usage.memory.cache },
  { name: "container_memory_failcnt", type: "counter", help: "Number of memory usage hits limits", value: ({ usage }) => usage.memory.failures },
  { name: "container_memory_rss", type: "gauge", help: "Size of RSS in bytes.", value: ({ usage }) => usage.memory.rss },
  { name: "container_memory_swap", type: "gauge", help: "Container swap usage in bytes.", value: ({ usage }) => usage.memory.swap },
  { name: "container_memory_usage_bytes", type: "gauge", help: "Current memory usage in bytes, including all memory regardless of when it was accessed", value: ({ usage }) => usage.memory.usage },
  { name: "container_memory_working_set_bytes", type: "gauge", help: "Current working set in bytes.", value: ({ usage }) => usage.memory.workingSet },
  { name: "container_processes", type: "gauge", help: "Number of processes running inside the container.", value: ({ usage }) => usage.processes },
  { name: "container_spec_cpu_period", type: "gauge", help: "CPU period of the container.", value: ({ usage }) => usage.limits.cpuPeriod },
  { name: "container_spec_cpu_quota", type: "gauge", help: "CPU quota of the container.", value: ({ usage }) => usage.limits.cpuQuota },
  { name: "container_spec_cpu_shares", type: "gauge", help: "CPU share of the container.", value: ({ usage }) => usage.limits.cpuShares },
  { name: "container_spec_memory_limit_bytes", type: "gauge", help: "Memory limit for the container.", value: ({ usage }) => usage.limits.memory ?? 0 },
  { name: "container_start_time_seconds", type: "gauge", help: "Start time of the container since unix epoch in seconds.", value: ({ startedAt }) => startedAt / 1000 },
];
const networkMetrics: readonly (readonly [name: string, help: string, field: keyof Omit<NetworkUsage, "name">])[] = [
  ["container_network_receive_bytes_total", "Cumulative count of bytes received", "rxBytes"],
  ["container_network_receive_errors_total", "Cumulative count of errors encountered while receiving", "rxErrors"],
  ["container_network_receive_packets_dropped_total", "Cumulative count of packets dropped while receiving", "rxDropped"],
  ["container_network_receive_packets_total", "Cumulative count of packets received", "rxPackets"],
  ["container_network_transmit_bytes_total", "Cumulative count of bytes transmitted", "txBytes"],
  ["container_network_transmit_errors_total", "Cumulative count of errors encountered while transmitting", "txErrors"],
  ["container_network_transmit_packets_dropped_total", "Cumulative count of packets dropped while transmitting", "txDropped"],
  ["container_network_transmit_packets_total", "Cumulative count of packets transmitted", "txPackets"],
];

const diskMetrics: readonly (readonly [name: string, help: string, field: keyof Omit<DiskIo, "device">])[] = [
  ["container_fs_reads_bytes_total", "Cumulative count of bytes read", "readBytes"],
  ["container_fs_reads_total", "Cumulative count of reads completed", "reads"],
  ["container_fs_writes_bytes_total", "Cumulative count of bytes written", "writeBytes"],
  ["container_fs_writes_total", "Cumulative count of writes completed", "writes"],
];

export function cadvisorMetrics(figures: readonly Figure[], machine: MachineUsage, nowMs: number): string {
  const lines: string[] = [];
  const head = (name: string, type: string, help: string): void => void lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  for (const { name, type, help, value, extra } of metrics) {
    const samples = figures.flatMap(figure => {
      const found = value(figure, nowMs);
      return found === undefined ? [] : [`${name}${labels({ ...figure.labels, ...extra })} ${found} ${nowMs}`];
    });
    if (samples.length === 0) continue;
    head(name, type, help);
    lines.push(...samples);
  }
  for (const [name, help, field] of networkMetrics) {
    const samples = figures.flatMap(figure => figure.networks.map(network => `${name}${labels({ ...figure.labels, interface: network.name })} ${network[field]} ${nowMs}`));
    if (samples.length === 0) continue;
    head(name, "counter", help);
    lines.push(...samples);
  }
  for (const [name, help, field] of diskMetrics) {
    const samples = figures.flatMap(figure => figure.usage.disks.map(disk => `${name}${labels({ ...figure.labels, device: disk.device })} ${disk[field]} ${nowMs}`));
    if (samples.length === 0) continue;
    head(name, "counter", help);
    lines.push(...samples);
  }
  head("machine_cpu_cores", "gauge", "Number of logical CPU cores.");
  lines.push(`machine_cpu_cores ${machine.cpus}`);
  head("machine_memory_bytes", "gauge", "Amount of memory installed on the machine.");
  lines.push(`machine_memory_bytes ${machine.memoryCapacity}`);
  return `${lines.join("\n")}\n`;
}

function labels(pairs: { readonly [name: string]: string }): string {
  return `{${Object.entries(pairs).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => `${name}="${text.replace(/[\\"\n]/g, letter => (letter === "\n" ? "\\n" : `\\${letter}`))}"`).join(",")}}`;
}

/** A process' own figures, as Prometheus' client libraries have them (client_golang prometheus/process_collector_linux.go). */
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { Metrics } from "../base/metrics.ts";

/** Seconds since the epoch. */
export const processStartSeconds = Math.round(Date.now() - process.uptime() * 1000) / 1000;

export function addStartTime(metrics: Metrics): void {
  metrics.observed("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", () => processStartSeconds);
}

export function addProcessFigures(metrics: Metrics): void {
  metrics.observed("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }, "counter");
  metrics.observed("process_max_fds", "Maximum number of open file descriptors.", () => {
    const [, soft = "unlimited"] = /^Max open files +(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === "unlimited" ? Infinity : Number(soft);
  });
  // The folder that is read is open itself.
  metrics.observed("process_open_fds", "Number of open file descriptors.", () => readdirSync("/proc/self/fd").length - 1);
  metrics.observed("process_resident_memory_bytes", "Resident memory size in bytes.", () => process.memoryUsage.rss());
  addStartTime(metrics);
  metrics.observed("process_virtual_memory_bytes", "Virtual memory size in bytes.", () => Number(/^VmSize:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) * 1024);
}

/** What a store's file takes on disk, with what is not in its place yet; `id` tells stores apart. */
export function addStoreSize(metrics: Metrics, file: string, id: string): void {
  const size = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  metrics.observedSeries("apiserver_storage_size_bytes", "Bytes on disk that the store's file takes.", ["storage_cluster_id"], () => [[[id], size(file) + size(`${file}-wal`)]]);
}

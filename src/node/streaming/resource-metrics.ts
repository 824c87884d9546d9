/** The kubelet's /metrics/resource: what metrics-server reads, in Prometheus' text form, from the stats summary (pkg/kubelet/metrics/collectors/resource_metrics.go). */
import { isObject, type Json, type JsonObject } from "../../base/json.ts";

type Sample = { readonly labels: { readonly [name: string]: string }; readonly value: number; readonly timeMs: number | undefined };

const metrics = {
  node_cpu_usage_seconds_total: ["counter", "Cumulative cpu time consumed by the node in core-seconds"],
  node_memory_working_set_bytes: ["gauge", "Current working set of the node in bytes"],
  container_cpu_usage_seconds_total: ["counter", "Cumulative cpu time consumed by the container in core-seconds"],
  container_memory_working_set_bytes: ["gauge", "Current working set of the container in bytes"],
  container_start_time_seconds: ["gauge", "Start time of the container since unix epoch in seconds"],
  pod_cpu_usage_seconds_total: ["counter", "Cumulative cpu time consumed by the pod in core-seconds"],
  pod_memory_working_set_bytes: ["gauge", "Current working set of the pod in bytes"],
} as const;
type Name = keyof typeof metrics;

/** `nowMs`: when it was measured; the summary itself tells whole seconds only. */
export function resourceMetrics(summary: Json, nowMs: number): string {
  const samples = new Map<Name, Sample[]>();
  const add = (name: Name, labels: Sample["labels"], stats: JsonObject | undefined, field: string, scale: number): void => {
    const value = stats?.[field];
    if (typeof value !== "number" && typeof value !== "bigint") return;
    let list = samples.get(name);
    if (!list) samples.set(name, list = []);
    list.push({ labels, value: Number(value) * scale, timeMs: stats?.["time"] === undefined ? undefined : nowMs });
  };
  const node = object(object(summary)?.["node"]);
  add("node_cpu_usage_seconds_total", {}, object(node?.["cpu"]), "usageCoreNanoSeconds", 1e-9);
  add("node_memory_working_set_bytes", {}, object(node?.["memory"]), "workingSetBytes", 1);
  for (const pod of list(object(summary)?.["pods"])) {
    const reference = object(pod["podRef"]);
    const labels = { namespace: string(reference?.["namespace"]), pod: string(reference?.["name"]) };
    for (const container of list(pod["containers"])) {
      const own = { container: string(container["name"]), ...labels };
      add("container_cpu_usage_seconds_total", own, object(container["cpu"]), "usageCoreNanoSeconds", 1e-9);
      add("container_memory_working_set_bytes", own, object(container["memory"]), "workingSetBytes", 1);
      const started = Date.parse(string(container["startTime"]));
      if (!Number.isNaN(started)) add("container_start_time_seconds", own, { seconds: started / 1000 }, "seconds", 1);
    }
    add("pod_cpu_usage_seconds_total", labels, object(pod["cpu"]), "usageCoreNanoSeconds", 1e-9);
    add("pod_memory_working_set_bytes", labels, object(pod["memory"]), "workingSetBytes", 1);
  }
  const lines: string[] = [];
  for (const [name, [type, help]] of Object.entries(metrics)) {
    const found = samples.get(name as Name);
    if (!found) continue;
    lines.push(`# HELP ${name} [STABLE] ${help}`, `# TYPE ${name} ${type}`);
    for (const { labels, value, timeMs } of found) {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text.replace(/[\\"\n]/g, letter => letter === "\n" ? "\\n" : `\\${letter}`)}"`);
      lines.push(`${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}${timeMs === undefined ? "" : ` ${timeMs}`}`);
    }
  }
  lines.push("# HELP resource_scrape_error [STABLE] 1 if there was an error while getting container metrics, 0 otherwise", "# TYPE resource_scrape_error gauge", "resource_scrape_error 0");
  return `${lines.join("\n")}\n`;
}

function object(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

function string(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function list(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** What an agent counts of itself, under kubelet's names (pkg/kubelet/metrics/metrics.go, pkg/kubelet/server/metrics, pkg/kubelet/prober). */
import type { Clock } from "../base/clock.ts";
import { defaultBuckets, exponentialBuckets, Metrics, type Counter, type Histogram } from "../base/metrics.ts";
import type { Role } from "./containers.ts";

const podStartBuckets = [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600];
const probeTypes = { startup: "Startup", liveness: "Liveness", readiness: "Readiness" } as const;
const probeResults = { success: "successful", warning: "successful", failure: "failed", unknown: "unknown" } as const;
const containerTypes = { init: "init_container", sidecar: "init_container", main: "container", ephemeral: "ephemeral_container" } as const;

/** Of those that upstream tells apart (kubelet.go: admissionRejectionReasons), what our admission says. */
const knownReasons: ReadonlySet<string> = new Set(["OutOfcpu", "OutOfmemory", "OutOfephemeral-storage", "OutOfpods", "Evicted"]);

type Probed = { readonly container: string; readonly pod: string; readonly namespace: string; readonly uid: string };
/** Why a worker looks at its pod; `terminated` cleans up after the last container. */
export type SyncType = "create" | "update" | "sync" | "kill" | "terminated";

export async function cgroupTimed({ clock, figures }: { readonly clock: Clock; readonly figures?: AgentFigures }, operation: "create" | "update" | "destroy", work: Promise<void>): Promise<void> {
  const began = clock.monotonic();
  await work;
  figures?.cgroupDone(operation, clock.monotonic() - began);
}

export class AgentFigures {
  /** `/metrics`. */
  readonly metrics = new Metrics();
  /** `/metrics/probes`. */
  readonly probes = new Metrics();
  readonly containersPerPod: Histogram;
  readonly podStarts: Histogram;
  readonly relists: Histogram;
  readonly relistIntervals: Histogram;
  readonly startedPods: Counter;
  readonly startedPodErrors: Counter;
  readonly evictions: Counter;
  readonly collectedImages: Counter;
  readonly #rejections: Counter;
  readonly #podWork: Histogram;
  readonly #cgroups: Histogram;
  readonly #operations: Counter;
  readonly #operationErrors: Counter;
  readonly #operationSeconds: Histogram;
  readonly #startedContainers: Counter;
  readonly #startedContainerErrors: Counter;
  readonly #probeResults: Counter;
  readonly #probeSeconds: Histogram;
  readonly #requests: Counter;
  readonly #requestSeconds: Histogram;
  readonly #apiRequests: Counter;
  readonly #apiSeconds: Histogram;

  constructor(nodeName: string) {
    const { metrics, probes } = this;
    metrics.gauge("kubelet_node_name", "The node's name. Always 1.", ["node"]).set(1, nodeName);
    this.containersPerPod = metrics.histogram("kubelet_containers_per_pod_count", "Containers of each pod that came here.", exponentialBuckets(1, 2, 5));
    this.podStarts = metrics.histogram("kubelet_pod_start_duration_seconds", "Seconds from first seeing a pod until it runs.", podStartBuckets);
    this.#podWork = metrics.histogram("kubelet_pod_worker_duration_seconds", "Seconds that one look at a pod took, by why it was looked at: create, update, sync, kill or terminated.", defaultBuckets, ["operation_type"]);
    this.#cgroups = metrics.histogram("kubelet_cgroup_manager_duration_seconds", "Seconds that operations on pods' cgroups took, by operation.", defaultBuckets, ["operation_type"]);
    this.relists = metrics.histogram("kubelet_pleg_relist_duration_seconds", "Seconds that listing what the runtime holds took.", defaultBuckets);
    this.relistIntervals = metrics.histogram("kubelet_pleg_relist_interval_seconds", "Seconds between two lists of what the runtime holds; its events come at once, lists only repair.", defaultBuckets);
    this.#operations = metrics.counter("kubelet_runtime_operations_total", "Calls to the container runtime, by operation.", ["operation_type"]);
    this.#operationErrors = metrics.counter("kubelet_runtime_operations_errors_total", "Calls to the container runtime that failed, by operation.", ["operation_type"]);
    this.#operationSeconds = metrics.histogram("kubelet_runtime_operations_duration_seconds", "Seconds that calls to the container runtime took, by operation.", exponentialBuckets(0.005, 2.5, 14), ["operation_type"]);
    this.startedPods = metrics.counter("kubelet_started_pods_total", "Pods whose sandbox was to be made.");
    this.startedPodErrors = metrics.counter("kubelet_started_pods_errors_total", "Pods whose sandbox could not be made.");
    this.#startedContainers = metrics.counter("kubelet_started_containers_total", "Containers that were to be started, by type.", ["container_type"]);
    this.#startedContainerErrors = metrics.counter("kubelet_started_containers_errors_total", "Containers that could not be started, by type and reason.", ["container_type", "code"]);
    this.evictions = metrics.counter("kubelet_evictions", "Pods evicted, by what the node was short of.", ["eviction_signal"]);
    this.#rejections = metrics.counter("kubelet_admission_rejections_total", "Pods refused, by reason.", ["reason"]);
    this.collectedImages = metrics.counter("kubelet_image_garbage_collected_total", "Images removed because nobody used them, by why there was need.", ["reason"]);
    this.#requests = metrics.counter("kubelet_http_requests_total", "HTTP requests to this agent.", ["method", "path", "server_type", "long_running"]);
    this.#requestSeconds = metrics.histogram("kubelet_http_requests_duration_seconds", "Seconds until requests to this agent were answered.", defaultBuckets, ["method", "path", "server_type", "long_running"]);
    this.#apiRequests = metrics.counter("rest_client_requests_total", "Requests to the API server, by status code, method and host.", ["code", "method", "host"]);
    this.#apiSeconds = metrics.histogram("rest_client_request_duration_seconds", "Seconds until the API server answered, by verb and host.", [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60], ["verb", "host"]);
    this.#probeResults = probes.counter("prober_probe_total", "Probes of a container, by their result.", ["probe_type", "result", "container", "pod", "namespace", "pod_uid"]);
    this.#probeSeconds = probes.histogram("prober_probe_duration_seconds", "Seconds until a probe had its answer; failed ones are not in it.", defaultBuckets, ["probe_type", "container", "pod", "namespace"]);
  }

  podWorked(type: SyncType, ms: number): void {
    this.#podWork.observe(ms / 1000, type);
  }
  cgroupDone(operation: "create" | "update" | "destroy", ms: number): void {
    this.#cgroups.observe(ms / 1000, operation);
  }
  /** Reasons that anybody could make up are one. */
  refused(reason: string): void {
    this.#rejections.add(1, knownReasons.has(reason) ? reason : reason.startsWith("OutOf") ? "OutOfExtendedResources" : "Other");
  }
  /** `operation` as in upstream's kuberuntime/instrumented_services.go. */
  runtimeCalled(operation: string, ms: number, failed: boolean): void {
    this.#operations.add(1, operation);
    this.#operationSeconds.observe(ms / 1000, operation);
    if (failed) this.#operationErrors.add(1, operation);
  }
  containerStarts(role: Role): void {
    this.#startedContainers.add(1, containerTypes[role]);
  }
  containerFailed(role: Role, reason: string): void {
    this.#startedContainerErrors.add(1, containerTypes[role], reason);
  }
  /** `path` is one of the server's own; whatever a client makes up is `other`. */
  requested(method: string, path: string, longRunning: boolean, ms: number): void {
    this.#requests.add(1, method, path, "readwrite", String(longRunning));
    this.#requestSeconds.observe(ms / 1000, method, path, "readwrite", String(longRunning));
  }
  /** One answer of the API server; `code` is `<error>` when there was none. */
  asked(method: string, host: string, code: number | "<error>", ms: number): void {
    this.#apiRequests.add(1, code, method, host);
    this.#apiSeconds.observe(ms / 1000, method, host);
  }

  probed(kind: keyof typeof probeTypes, result: keyof typeof probeResults, { container, pod, namespace, uid }: Probed, ms: number): void {
    this.#probeResults.add(1, probeTypes[kind], probeResults[result], container, pod, namespace, uid);
    if (result !== "failure") this.#probeSeconds.observe(ms / 1000, probeTypes[kind], container, pod, namespace);
  }
  /** The probe is over: its series go. */
  probeGone(kind: keyof typeof probeTypes, { container, pod, namespace, uid }: Probed): void {
    for (const result of ["successful", "failed", "unknown"]) this.#probeResults.remove(probeTypes[kind], result, container, pod, namespace, uid);
    this.#probeSeconds.remove(probeTypes[kind], container, pod, namespace);
  }
}

/** What is used, and what follows from it: kubectl top, the agent's metrics for scrapers, and an autoscaler that follows a real load up and down. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertGrown, parseMetrics, valueOf, type Scrape } from "../prometheus.ts";
import { image, Scratch } from "./harness.ts";

const scratch = new Scratch();
const busy = join(scratch.folder, "busy");
before(async () => {
  await scratch.registry();
  const result = scratch.timonier("up");
  assert.equal(result.code, 0, result.err + result.out);
  await scratch.until("the default service account", () => scratch.kubectl("get", "serviceaccount", "default").code === 0);
});
after(async () => {
  const result = scratch.timonier("delete");
  assert.equal(result.code, 0, result.err);
  await scratch.close();
});

test("an autoscaler adds pods while they are busy and takes them away when they are not; kubectl top shows why", async () => {
  writeFileSync(busy, "");
  const script = "while true; do if [ -e /load/busy ]; then i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; else sleep 1; fi; done";
  const labels = { app: "burn" };
  scratch.k("create -f -", JSON.stringify({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "burn" }, spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: {
    terminationGracePeriodSeconds: 0, volumes: [{ name: "load", hostPath: { path: scratch.folder } }],
    containers: [{ name: "c", image: image("busybox:1"), command: ["sh", "-c", script], volumeMounts: [{ name: "load", mountPath: "/load" }], resources: { requests: { cpu: "50m" }, limits: { cpu: "150m" } } }],
  } } } }));
  scratch.k("create -f -", JSON.stringify({ apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata: { name: "burn" }, spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "burn" }, minReplicas: 1, maxReplicas: 3, metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } } }],
    behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
  } }));
  await scratch.until("three pods", () => scratch.k("get deployment burn -o jsonpath={.spec.replicas}") === "3", 150);
  assert.match(scratch.k("get hpa burn"), /^burn +Deployment\/burn +cpu: \d+%\/60% +1 +3 +\d/m);
  await scratch.until("the event", () => /SuccessfulRescale\s.*New size: \d; reason: cpu resource utilization \(percentage of request\) above target/.test(scratch.k("describe hpa burn")));
  assert.match(scratch.k("top pods --containers"), /^burn-\S+ +c +[1-9]\d*m +\d+Mi/m);
  assert.match(scratch.k("top nodes"), /^\S+ +\d+m +\d+% +\d+Mi +\d+%/m);
  rmSync(busy);
  await scratch.until("one pod", () => scratch.k("get deployment burn -o jsonpath={.spec.replicas}") === "1", 150);
});

test("a scraper reads the agent with a token of its own and no more than its role allows", async () => {
  scratch.k("create serviceaccount scraper");
  scratch.k("create clusterrole scraper --verb=get --resource=nodes/metrics");
  scratch.k("create clusterrolebinding scraper --clusterrole=scraper --serviceaccount=default:scraper");
  const token = scratch.k("create token scraper").trim();
  const at = scratch.k("get nodes -o jsonpath={.items[0].status.addresses[0].address}:{.items[0].status.daemonEndpoints.kubeletEndpoint.Port}");
  const get = (path: string, bearer = token): string => spawnSync("curl", ["-sk", "-H", `Authorization: Bearer ${bearer}`, `https://${at}${path}`], { encoding: "utf8" }).stdout;
  assert.match(get("/metrics/cadvisor"), /^container_cpu_usage_seconds_total\{container="c",cpu="total",id="\/timonier-[^"]+",image="[^"]*busybox:1",name="[0-9a-f]{64}",namespace="default",pod="burn-[^"]+"\} \d/m);
  assert.match(get("/metrics/resource"), /^pod_memory_working_set_bytes\{namespace="default",pod="burn-[^"]+"\} \d/m);
  for (const path of ["/configz", "/runningpods/"]) assert.match(get(path), /^Forbidden \(user=system:serviceaccount:default:scraper, verb=get, resource=nodes, subresource\(s\)=\[(configz|pods) proxy\]\)$/m);
  assert.match(get("/stats/summary"), /^Forbidden \(user=system:serviceaccount:default:scraper, verb=get, resource=nodes, subresource\(s\)=\[stats\]\)$/m);
  assert.equal(get("/metrics/cadvisor", "wrong"), "Unauthorized");
});

test("Prometheus finds what it asks of kubelets and API servers: all of it is well-formed, nothing goes back, and the figures are what happened", async () => {
  scratch.k("create -f -", JSON.stringify({ apiVersion: "v1", kind: "List", items: [
    { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "mine" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } } },
    { apiVersion: "v1", kind: "Pod", metadata: { name: "probed" }, spec: {
      terminationGracePeriodSeconds: 0, volumes: [{ name: "data", persistentVolumeClaim: { claimName: "mine" } }],
      containers: [{ name: "c", image: image("busybox:1"), command: ["sleep", "1000"], volumeMounts: [{ name: "data", mountPath: "/data" }], readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1 }, livenessProbe: { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 1000 } }],
    } },
  ] }));
  scratch.k("wait --for=condition=Ready pod/probed --timeout=60s");
  const node = scratch.k("get nodes -o jsonpath={.items[0].metadata.name}:{.items[0].status.daemonEndpoints.kubeletEndpoint.Port}");
  const raw = (path: string): string => scratch.k(`get --raw ${path}`);
  const agent = (path: string): string => raw(`/api/v1/nodes/${node}/proxy/${path}`);
  const all = (): readonly Scrape[] => [agent("metrics"), agent("metrics/probes"), agent("metrics/slis"), agent("metrics/cadvisor"), agent("metrics/resource"), raw("/metrics"), raw("/metrics/slis")].map(parseMetrics);
  assert.equal(agent("healthz"), "ok");
  assert.equal(raw("/readyz"), "ok");
  await scratch.until("a failed probe", () => agent("metrics/probes").includes('result="failed"'));
  // Pods of the tests before are still ending.
  const running = await scratch.until("the node runs these two", () => {
    const list = JSON.parse(agent("runningpods/")) as { readonly kind: string; readonly items: readonly { readonly metadata: { readonly name: string } }[] };
    return list.items.length === 2 && list;
  });
  const before = all();
  // Series of containers go with them (those of the test before may be ending); the others stay.
  const after = all();
  for (const [i, scrape] of before.entries()) assertGrown(scrape, after[i]!, name => /^(container|pod)_/.test(name));
  const [own, probes, slis, , , server, serverSlis] = after as readonly [Scrape, Scrape, Scrape, Scrape, Scrape, Scrape, Scrape];
  assert.equal(valueOf(own, "kubelet_node_name", { node: node.split(":")[0]! }), 1);
  assert.deepEqual([running.kind, running.items.map(({ metadata }) => metadata.name.split("-")[0]).sort(), valueOf(own, "kubelet_running_pods")], ["PodList", ["burn", "probed"], 2]);
  for (const name of ["kubelet_started_pods_total", "kubelet_pod_start_duration_seconds_count", "kubelet_pleg_relist_duration_seconds_count", "process_open_fds", "process_resident_memory_bytes", "process_cpu_seconds_total", "kubelet_certificate_manager_client_ttl_seconds", "kubelet_certificate_manager_server_ttl_seconds"]) assert.ok(valueOf(own, name)! > 0, name);
  for (const operation_type of ["run_podsandbox", "create_container", "start_container", "exec_sync", "podsandbox_status"]) assert.ok(valueOf(own, "kubelet_runtime_operations_total", { operation_type })! > 0, operation_type);
  assert.ok(valueOf(own, "rest_client_requests_total", { code: "200", method: "PATCH" })! > 0 && valueOf(own, "kubelet_http_requests_total", { path: "metrics/probes" })! > 0);
  const claim = { namespace: "default", persistentvolumeclaim: "mine" };
  assert.equal(valueOf(own, "kubelet_volume_stats_inodes", claim)! - valueOf(own, "kubelet_volume_stats_inodes_free", claim)!, valueOf(own, "kubelet_volume_stats_inodes_used", claim));
  assert.ok(valueOf(own, "kubelet_volume_stats_used_bytes", claim)! <= valueOf(own, "kubelet_volume_stats_capacity_bytes", claim)!);
  for (const state of ["desired_state_of_world", "actual_state_of_world"]) assert.ok(valueOf(own, "volume_manager_total_volumes", { plugin_name: "kubernetes.io/projected", state })! > 0, state);
  assert.ok(valueOf(own, "storage_operation_duration_seconds_count", { volume_plugin: "kubernetes.io/host-path", operation_name: "volume_mount", status: "success" })! > 0);
  assert.ok(valueOf(probes, "prober_probe_total", { probe_type: "Readiness", result: "successful", pod: "probed" })! > 0);
  assert.equal(valueOf(slis, "kubernetes_healthcheck", { name: "syncloop", type: "healthz" }), 1);
  assert.equal(valueOf(serverSlis, "kubernetes_healthcheck", { name: "etcd", type: "readyz" }), 1);
  const { kubeletconfig } = JSON.parse(agent("configz")) as { readonly kubeletconfig: { readonly [field: string]: unknown } };
  assert.deepEqual([kubeletconfig["kind"], kubeletconfig["port"], kubeletconfig["clusterDNS"], kubeletconfig["maxPods"]], ["KubeletConfiguration", Number(node.split(":")[1]), [scratch.cluster.serviceCIDR.replace(".0/16", ".10")], 110]);
  assert.ok(valueOf(server, "apiserver_request_total", { verb: "POST", resource: "persistentvolumeclaims", code: "201" })! > 0);
  assert.ok(valueOf(server, "apiserver_request_sli_duration_seconds_count", { verb: "LIST", group: "", version: "v1", resource: "nodes", scope: "cluster" })! > 0);
  assert.deepEqual([valueOf(server, "apiserver_storage_objects", { resource: "persistentvolumeclaims" }), valueOf(server, "aggregator_unavailable_apiservice", { name: "v1." })], [1, 0]);
  for (const name of ["process_start_time_seconds", "process_cpu_seconds_total", "apiserver_client_certificate_expiration_seconds_count"]) assert.ok(valueOf(server, name)! > 0, name);
  assert.ok(valueOf(server, "workqueue_adds_total", { name: "deployment" })! > 0);
  scratch.k("delete pod probed --wait=true");
  await scratch.until("the probes' series to go", () => !agent("metrics/probes").includes('pod="probed"'));
});

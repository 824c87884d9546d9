/** What is used, and what follows from it: kubectl top, the agent's metrics for scrapers, and an autoscaler that follows a real load up and down. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { image, Scratch } from "./harness.ts";

const scratch = new Scratch();
const busy = join(scratch.folder, "busy");
before(async () => {
  await scratch.registry();
  const result = scratch.timonier("up", "--service-cidr", "10.117.0.0/16");
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
  assert.match(get("/stats/summary"), /^Forbidden \(user=system:serviceaccount:default:scraper, verb=get, resource=nodes, subresource\(s\)=\[stats\]\)$/m);
  assert.equal(get("/metrics/cadvisor", "wrong"), "Unauthorized");
});

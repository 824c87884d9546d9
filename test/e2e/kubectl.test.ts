/** Upstream's conformance tests that drive kubectl and need no pod. Names are upstream's. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseMetrics, valueOf } from "../prometheus.ts";
import { Scratch } from "./harness.ts";

const scratch = new Scratch();
before(() => {
  const up = scratch.timonier("up", "--runtime", "simulated", "--port", "17843", "--node-port", "17850");
  assert.equal(up.code, 0, up.err + up.out);
});
after(async () => {
  const gone = scratch.timonier("delete");
  assert.equal(gone.code, 0, gone.err);
  await scratch.close();
});

test("[sig-cli] Kubectl client Kubectl api-versions should check if v1 is in available api versions [Conformance]", () => {
  assert.ok(scratch.k("api-versions").split("\n").includes("v1"));
});

test("[sig-cli] Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info [Conformance]", () => {
  assert.match(scratch.k("cluster-info"), /Kubernetes (control plane|master)/);
  assert.match(scratch.k("cluster-info"), /https:\/\/127\.0\.0\.1:17843/);
});

test("[sig-cli] Kubectl client Kubectl version should check is all data is printed [Conformance]", () => {
  const { clientVersion, serverVersion } = JSON.parse(scratch.k("version -o json"));
  for (const { major, minor, gitVersion, platform } of [clientVersion, serverVersion]) assert.ok([major, minor, gitVersion, platform].every(text => text !== ""));
});

const apiThrough = (options: { readonly port?: number; readonly socketPath?: string }): Promise<{ readonly kind: string; readonly versions: readonly string[] }> => new Promise((resolve, reject) => {
  request({ ...options, host: "127.0.0.1", path: "/api" }, response => {
    let text = "";
    response.on("data", chunk => (text += String(chunk))).on("end", () => resolve(JSON.parse(text)));
  }).on("error", reject).end();
});

test("[sig-cli] Kubectl client Proxy server should support proxy with --port 0 [Conformance]", async () => {
  const proxy = scratch.startKubectl("proxy --port 0 --disable-filter");
  const port = await scratch.until("the proxy's port", () => /Starting to serve on 127\.0\.0\.1:(\d+)\n/.exec(proxy.out)?.[1]);
  assert.ok((await apiThrough({ port: Number(port) })).versions.includes("v1"));
  await proxy.end();
});

test("[sig-cli] Kubectl client Proxy server should support --unix-socket=/path [Conformance]", async () => {
  const socketPath = join(scratch.folder, "proxy.sock");
  const proxy = scratch.startKubectl(`proxy --unix-socket=${socketPath}`);
  await scratch.until("the proxy's socket", () => proxy.out.includes("Starting to serve on"));
  assert.equal((await apiThrough({ socketPath })).kind, "APIVersions");
  await proxy.end();
});

test("simulated nodes answer the kubelet's paths through the API server: figures, health, configuration, what runs", async () => {
  const node = await scratch.until("the node", () => scratch.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}").out);
  const raw = (path: string): string => scratch.k(`get --raw /api/v1/nodes/${node}:17850/proxy/${path}`);
  assert.equal(valueOf(parseMetrics(raw("metrics")), "kubelet_node_name", { node }), 1);
  assert.equal(raw("healthz"), "ok");
  for (const path of ["metrics/probes", "metrics/slis"]) assert.ok(valueOf(parseMetrics(raw(path)), "process_start_time_seconds")! > 0);
  assert.deepEqual([JSON.parse(raw("configz")).kubeletconfig.port, JSON.parse(raw("runningpods/")).kind], [17850, "PodList"]);
});

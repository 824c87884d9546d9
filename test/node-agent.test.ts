import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMap } from "../src/kinds/core/configmap.ts";
import { Node } from "../src/kinds/core/node.ts";
import { Lease } from "../src/kinds/coordination/lease.ts";
import { PersistentVolumeClaim } from "../src/kinds/core/persistentvolumeclaim.ts";
import { Pod } from "../src/kinds/core/pod.ts";
import type { ContainerRuntime } from "../src/node/runtime.ts";
import type { SimulatedRuntime } from "../src/node/simulated.ts";
import { assertGrown, parseMetrics, valueOf, type Scrape } from "./prometheus.ts";
import { Cluster } from "./sim/cluster.ts";
import { createPod, eventsOf, podNamed, runAgent, shown, type World } from "./node-world.ts";

/** A scenario with one node named n1, registered. */
function scenario(name: string, play: (cluster: Cluster, world: World) => Promise<void>, change?: (runtime: SimulatedRuntime) => ContainerRuntime): void {
  test(name, async () => {
    const cluster = new Cluster(1);
    await cluster.start();
    try {
      const world = runAgent(cluster, "n1", 5, change);
      await cluster.until(() => cluster.all(Node).some(({ status }) => status.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True")), 10_000, "the node");
      await play(cluster, world);
    } finally {
      await cluster.stop();
    }
  });
}
const one = (container: object): { readonly containers: readonly object[] } => ({ containers: [{ name: "main", image: "web:1", ...container }] });
const condition = (pod: Pod | undefined, type: string): string | undefined => pod?.status.conditions?.find(each => each.type === type)?.status;

scenario("a node registers with its labels, addresses, capacity and conditions, and renews its lease", async cluster => {
  const node = cluster.all(Node)[0]!;
  assert.deepEqual(node.metadata.labels, { "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": "n1", "kubernetes.io/os": "linux" });
  assert.deepEqual(node.status.addresses, [{ address: "192.0.2.1", type: "InternalIP" }, { address: "n1", type: "Hostname" }]);
  assert.deepEqual(node.status.capacity, { cpu: "2", "ephemeral-storage": "8Gi", memory: "1Gi", pods: "5" });
  assert.deepEqual(node.status.conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`), [
    "MemoryPressure=False KubeletHasSufficientMemory", "DiskPressure=False KubeletHasNoDiskPressure", "PIDPressure=False KubeletHasSufficientPID", "Ready=True KubeletReady",
  ]);
  const renewed = (): string | undefined => cluster.all(Lease)[0]?.spec.renewTime;
  await cluster.until(() => renewed() !== undefined, 1_000, "the lease");
  const before = renewed();
  await cluster.until(() => renewed() !== before, 11_000, "the renewal");
});

const ready = (cluster: Cluster) => cluster.all(Node)[0]!.status.conditions!.find(({ type }) => type === "Ready")!;
const patchStatus = (cluster: Cluster, status: object): Promise<unknown> => cluster.run(cluster.admin.patch(Node, "", "n1", { type: "strategic", body: { status } as never }, { subresource: "status" }));

scenario("a node that was called Unknown says at its next heartbeat what it is, and is quiet afterwards", async cluster => {
  await cluster.run(cluster.clock.sleep(60_000, cluster.signal));
  await patchStatus(cluster, { conditions: [{ type: "Ready", status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." }] });
  await cluster.until(() => ready(cluster).reason === "KubeletReady", 11_000, "ready again");
  const version = cluster.all(Node)[0]!.metadata.resourceVersion;
  await cluster.run(cluster.clock.sleep(60_000, cluster.signal));
  assert.equal(cluster.all(Node)[0]!.metadata.resourceVersion, version);
});

scenario("resources that others say a node has may be used by pods, and no longer when they take that back", async cluster => {
  const allocatable = (): string | undefined => cluster.all(Node)[0]!.status.allocatable?.["example.com/dongle"];
  await patchStatus(cluster, { capacity: { "example.com/dongle": "4" } });
  await cluster.until(() => allocatable() === "4", 11_000, "allocatable");
  await patchStatus(cluster, { capacity: { "example.com/dongle": "2" } });
  await cluster.until(() => allocatable() === "2", 11_000, "less");
  await patchStatus(cluster, { capacity: { "example.com/dongle": null } });
  await cluster.until(() => allocatable() === undefined, 11_000, "none");
  assert.equal(cluster.all(Node)[0]!.status.capacity?.["example.com/dongle"], undefined);
});

scenario("a pod runs, is ready, and goes for good when it is deleted", async cluster => {
  await createPod(cluster, "n1", "web", one({}));
  await cluster.until(() => condition(podNamed(cluster, "web"), "Ready") === "True", 10_000, "ready");
  const pod = podNamed(cluster, "web")!;
  assert.deepEqual([pod.status.phase, shown(pod), pod.status.podIP, pod.status.hostIP, pod.status.qosClass], ["Running", "main=running", "10.244.0.2", "192.0.2.1", "BestEffort"]);
  await cluster.until(() => eventsOf(cluster, "web").length === 4, 10_000, "events");
  assert.deepEqual(eventsOf(cluster, "web").map(text => text.split(": ")[0]), ["Pulling", "Pulled", "Created", "Started"]);
  await cluster.run(cluster.admin.delete(Pod, "default", "web"));
  await cluster.until(() => podNamed(cluster, "web") === undefined, 10_000, "gone");
  assert.ok((await cluster.run(Promise.resolve(eventsOf(cluster, "web")))).includes("Killing: Stopping container main"));
});

scenario("a container that fails is started again, later each time, with upstream's words", async cluster => {
  await createPod(cluster, "n1", "web", one({ command: ["sh", "-c", "exit 3"] }));
  await cluster.until(() => shown(podNamed(cluster, "web")) === "main=waiting:CrashLoopBackOffx1", 10_000, "the first wait");
  const status = podNamed(cluster, "web")!.status.containerStatuses![0]!;
  assert.match(status.state.waiting!.message!, /^back-off 10s restarting failed container=main pod=web_default\(.+\)$/);
  assert.deepEqual([status.lastState.terminated?.exitCode, status.lastState.terminated?.reason], [3, "Error"]);
  const times: number[] = [];
  for (let restart = 2; restart <= 7; restart++) {
    await cluster.until(() => podNamed(cluster, "web")!.status.containerStatuses![0]!.restartCount === restart, 400_000, `restart ${restart}`);
    times.push(cluster.clock.monotonic());
  }
  assert.deepEqual(times.slice(1).map((time, i) => Math.round((time - times[i]!) / 10_000)), [2, 4, 8, 16, 30]);
});

scenario("a pod that is to run once ends as Succeeded or Failed, by its exit code", async cluster => {
  await createPod(cluster, "n1", "good", { restartPolicy: "Never", ...one({ command: ["sleep", "2"] }) });
  await createPod(cluster, "n1", "bad", { restartPolicy: "Never", ...one({ command: ["false"] }) });
  await createPod(cluster, "n1", "test", { restartPolicy: "Never", ...one({ command: ["wget", "web"] }) }, { "helm.sh/hook": "test" });
  await cluster.until(() => podNamed(cluster, "good")?.status.phase === "Succeeded" && podNamed(cluster, "bad")?.status.phase === "Failed" && podNamed(cluster, "test")?.status.phase === "Succeeded", 10_000, "the ends");
  assert.equal(podNamed(cluster, "good")!.status.conditions?.find(({ type }) => type === "Ready")?.reason, "PodCompleted");
});

scenario("init containers run one after another, sidecars stay, and a sidecar ends after the main container", async cluster => {
  await createPod(cluster, "n1", "web", {
    restartPolicy: "Never", initContainers: [{ name: "first", image: "a", command: ["sleep", "1"] }, { name: "side", image: "a", restartPolicy: "Always" }, { name: "second", image: "a", command: ["sleep", "1"] }],
    containers: [{ name: "main", image: "a", command: ["sleep", "3"] }],
  });
  const seen: string[] = [];
  cluster.onChange((type, object) => {
    const now = object.kind === "Pod" && type === "put" ? shown(object as Pod) : "";
    if (now !== "" && now !== seen.at(-1)) seen.push(now);
  });
  await cluster.until(() => podNamed(cluster, "web")?.status.phase === "Succeeded", 20_000, "success");
  assert.deepEqual(seen.filter(each => !each.includes("PodInitializing") || each.startsWith("first=running")), [
    "first=running side=waiting:PodInitializing second=waiting:PodInitializing main=waiting:PodInitializing",
    "first=ended:0 side=running second=ended:0 main=running", "first=ended:0 side=running second=ended:0 main=ended:0", "first=ended:0 side=ended:0 second=ended:0 main=ended:0",
  ]);
});

scenario("an image that cannot be pulled is tried again with back-off", async cluster => {
  await createPod(cluster, "n1", "web", one({ image: "reg/missing:1" }));
  await cluster.until(() => shown(podNamed(cluster, "web")) === "main=waiting:ErrImagePull", 10_000, "the error");
  await cluster.until(() => shown(podNamed(cluster, "web")) === "main=waiting:ImagePullBackOff", 30_000, "the back-off");
  assert.match(podNamed(cluster, "web")!.status.containerStatuses![0]!.state.waiting!.message!, /^Back-off pulling image "reg\/missing:1": ErrImagePull: failed to resolve reference/);
});

scenario("a pod waits for the config map it mounts, and sees its changes", async (cluster, { host }) => {
  await createPod(cluster, "n1", "web", { volumes: [{ name: "c", configMap: { name: "settings" } }], ...one({ volumeMounts: [{ name: "c", mountPath: "/c" }] }) });
  await cluster.until(() => eventsOf(cluster, "web").some(text => text === `FailedMount: MountVolume.SetUp failed for volume "c" : configmap "settings" not found`), 10_000, "the event");
  await cluster.run(cluster.admin.create(ConfigMap, { metadata: { name: "settings", namespace: "default" }, data: { colour: "red" } }));
  await cluster.until(() => podNamed(cluster, "web")?.status.phase === "Running", 5_000, "running");
  const value = (): string | undefined => [...host.published.values()][0]?.get("colour");
  assert.equal(value(), "red");
  await cluster.run(cluster.admin.patch(ConfigMap, "default", "settings", { type: "merge", body: { data: { colour: "blue" } } }));
  await cluster.until(() => value() === "blue", 2_000, "the change");
});

scenario("an environment that refers to what is not there is a configuration error", async cluster => {
  await createPod(cluster, "n1", "web", one({ env: [{ name: "A", valueFrom: { secretKeyRef: { name: "nope", key: "k" } } }] }));
  await cluster.until(() => shown(podNamed(cluster, "web")) === "main=waiting:CreateContainerConfigError", 10_000, "the error");
  assert.equal(podNamed(cluster, "web")!.status.containerStatuses![0]!.state.waiting!.message, `secret "nope" not found`);
});

scenario("readiness follows its probe, and a failed liveness probe restarts the container", async (cluster, { host }) => {
  host.status = 500;
  const http = { httpGet: { port: 80, path: "/" }, periodSeconds: 1, failureThreshold: 2 };
  await createPod(cluster, "n1", "ready", one({ readinessProbe: http }));
  await cluster.until(() => eventsOf(cluster, "ready").includes("Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 500"), 10_000, "the event");
  assert.equal(condition(podNamed(cluster, "ready"), "Ready"), "False");
  host.status = 200;
  await cluster.until(() => condition(podNamed(cluster, "ready"), "Ready") === "True", 5_000, "ready");
  await createPod(cluster, "n1", "alive", one({ livenessProbe: http }));
  await cluster.until(() => shown(podNamed(cluster, "alive")) === "main=running", 5_000, "running");
  host.status = 503;
  await cluster.until(() => shown(podNamed(cluster, "alive")) === "main=runningx1", 10_000, "the restart");
  assert.ok(eventsOf(cluster, "alive").includes("Killing: Container main failed liveness probe, will be restarted"));
});

scenario("the readiness of a pod that ends is still asked for, and told: its last requests come by", async (cluster, { host }) => {
  host.status = 200;
  await createPod(cluster, "n1", "web", { terminationGracePeriodSeconds: 60, ...one({ lifecycle: { preStop: { sleep: { seconds: 50 } } }, readinessProbe: { httpGet: { port: 80, path: "/" }, periodSeconds: 1, failureThreshold: 2 } }) });
  await cluster.until(() => condition(podNamed(cluster, "web"), "Ready") === "True", 5_000, "ready");
  await cluster.run(cluster.admin.delete(Pod, "default", "web"));
  assert.equal(condition(podNamed(cluster, "web"), "Ready"), "True");
  host.status = 500;
  await cluster.until(() => condition(podNamed(cluster, "web"), "Ready") === "False", 10_000, "not ready");
  assert.equal(shown(podNamed(cluster, "web")), "main=running");
});

scenario("a pod past its deadline fails, and its containers end", async cluster => {
  await createPod(cluster, "n1", "web", { activeDeadlineSeconds: 5, ...one({}) });
  await cluster.until(() => podNamed(cluster, "web")?.status.phase === "Failed", 20_000, "failure");
  const { reason, message } = podNamed(cluster, "web")!.status;
  assert.deepEqual([reason, message], ["DeadlineExceeded", "Pod was active on the node longer than the specified deadline"]);
  await cluster.until(() => !shown(podNamed(cluster, "web")).includes("running"), 5_000, "the end");
});

scenario("a node refuses pods that it has no room for", async cluster => {
  await createPod(cluster, "n1", "big", one({ resources: { requests: { cpu: "3" } } }));
  await cluster.until(() => podNamed(cluster, "big")?.status.phase === "Failed", 5_000, "the refusal");
  assert.deepEqual([podNamed(cluster, "big")!.status.reason, podNamed(cluster, "big")!.status.message], ["OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 3000, used: 0, capacity: 2000"]);
  assert.deepEqual([podNamed(cluster, "big")!.status.containerStatuses, podNamed(cluster, "big")!.status.hostIP], [undefined, undefined], "nothing that a client could show instead of the reason");
});

scenario("a node refuses a pod that wants none of its image's groups: containerd 1.6 cannot", async cluster => {
  await createPod(cluster, "n1", "strict", { ...one({}), securityContext: { supplementalGroupsPolicy: "Strict" } });
  await cluster.until(() => podNamed(cluster, "strict")?.status.phase === "Failed", 5_000, "the refusal");
  assert.deepEqual([podNamed(cluster, "strict")!.status.reason, podNamed(cluster, "strict")!.status.message], ["SupplementalGroupsPolicyNotSupported", "Pod was rejected: SupplementalGroupsPolicy=Strict is not supported in this node"]);
});

scenario("a claim that is being bound is no problem worth an event, one that stays unbound is", async cluster => {
  await cluster.run(cluster.admin.create(PersistentVolumeClaim, { metadata: { name: "data", namespace: "default" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "none" } }));
  const begun = cluster.clock.now();
  await createPod(cluster, "n1", "web", { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }], ...one({ volumeMounts: [{ name: "data", mountPath: "/data" }] }) });
  await cluster.until(() => eventsOf(cluster, "web").some(text => text === `FailedMount: MountVolume.SetUp failed for volume "data" : error processing PVC default/data: PVC is not bound`), 10_000, "the event");
  assert.ok(cluster.clock.now() - begun >= 1_500, "told before the third try");
});

scenario("a pod deleted by force is ended all the same", async (cluster, { runtime }) => {
  await createPod(cluster, "n1", "web", one({}));
  await cluster.until(() => podNamed(cluster, "web")?.status.phase === "Running", 5_000, "running");
  await cluster.run(cluster.admin.delete(Pod, "default", "web", { gracePeriodSeconds: 0 }));
  assert.equal(podNamed(cluster, "web"), undefined);
  let left = 1;
  cluster.clock.after(3_000, () => void runtime.list().then(({ sandboxes }) => { left = sandboxes.length; }));
  await cluster.until(() => left === 0, 5_000, "nothing is left");
});

scenario("a node whose runtime is gone says that it is not ready, and recovers", async (cluster, { runtime }) => {
  const ready = (): string | undefined => cluster.all(Node)[0]!.status.conditions?.find(({ type }) => type === "Ready")?.status;
  runtime.broken = "connection refused";
  await cluster.until(() => ready() === "False", 30_000, "not ready");
  runtime.broken = undefined;
  await cluster.until(() => ready() === "True", 30_000, "ready");
});

scenario("a node that runs short of memory evicts who uses most beyond what it asked for, says so, and takes no more best-effort pods for a while", async cluster => {
  const using = (memory: string): { readonly [key: string]: string } => ({ "simulated.timonier.dev/memory": memory });
  await createPod(cluster, "n1", "modest", one({ resources: { requests: { memory: "300Mi" } } }), using("250Mi"));
  await createPod(cluster, "n1", "small", one({}), using("100Mi"));
  await cluster.until(() => ["modest", "small"].every(name => condition(podNamed(cluster, name), "Ready") === "True"), 20_000, "both");
  await createPod(cluster, "n1", "greedy", one({ resources: { requests: { memory: "50Mi" } } }), using("640Mi"));
  await cluster.until(() => podNamed(cluster, "greedy")?.status.reason === "Evicted", 60_000, "the eviction");
  const { status } = podNamed(cluster, "greedy")!;
  assert.equal(status.phase, "Failed");
  assert.equal(status.message, "The node was low on resource: memory. Threshold quantity: 100Mi, available: 34Mi. Container main was using 640Mi, request is 50Mi, has larger consumption of memory. ");
  assert.deepEqual(status.conditions?.filter(({ type }) => type === "DisruptionTarget").map(({ status: value, reason }) => [value, reason]), [["True", "TerminationByKubelet"]]);
  assert.deepEqual(["modest", "small"].map(name => podNamed(cluster, name)?.status.phase), ["Running", "Running"]);
  const pressed = (): string | undefined => cluster.all(Node)[0]!.status.conditions?.find(({ type }) => type === "MemoryPressure")?.status;
  await cluster.until(() => pressed() === "True", 5_000, "the condition");
  await cluster.until(() => eventsOf(cluster, "n1").some(text => text === "EvictionThresholdMet: Attempting to reclaim memory"), 20_000, "the node's event");
  await createPod(cluster, "n1", "late", one({}));
  await cluster.until(() => podNamed(cluster, "late")?.status.phase === "Failed", 10_000, "the refusal");
  assert.equal(podNamed(cluster, "late")!.status.message, "Pod was rejected: The node had condition: [MemoryPressure]. ");
  await cluster.until(() => pressed() === "False", 320_000, "the end of it");
});

scenario("a start that outlives who asked for it is waited for: the container is neither removed nor complained about", async cluster => {
  await createPod(cluster, "n1", "web", one({}), { "timonier.dev/sim.start-ms": "30000" });
  await cluster.until(() => eventsOf(cluster, "web").includes("Failed: Error: connection lost"), 60_000, "the lost call");
  await cluster.until(() => podNamed(cluster, "web")?.status.phase === "Running", 20_000, "running");
  assert.equal(podNamed(cluster, "web")!.status.containerStatuses![0]!.restartCount, 0);
  assert.deepEqual(eventsOf(cluster, "web").map(text => text.split(": ")[0]).sort(), ["Created", "Failed", "Pulled", "Pulling"]);
}, runtime => new Proxy(runtime, {
  get: (object, name) => {
    if (name === "startContainer") return async (id: string): Promise<void> => {
      void object.startContainer(id);
      throw new Error("connection lost");
    };
    const member: unknown = Reflect.get(object, name);
    return typeof member === "function" ? member.bind(object) as unknown : member;
  },
}));

scenario("a pod that wants users of its own is told that the runtime has none", async cluster => {
  await createPod(cluster, "n1", "own", { hostUsers: false, ...one({}) });
  await cluster.until(() => eventsOf(cluster, "own").includes("FailedCreatePodSandBox: Failed to create pod sandbox: can't set `spec.hostUsers: false`, runtime does not support user namespaces"), 20_000, "the event");
  assert.equal(podNamed(cluster, "own")?.status.phase, "Pending");
});

scenario("the agent counts what it does under kubelet's names: nothing goes back, and probes of pods that are gone are forgotten", async (cluster, world) => {
  const scrape = async (): Promise<Scrape> => parseMetrics(await cluster.run(world.api!.metrics()));
  const before = await scrape();
  assert.deepEqual([valueOf(before, "kubelet_node_name", { node: "n1" }), valueOf(before, "kubelet_running_pods"), valueOf(before, "kubelet_started_pods_total"), valueOf(before, "kubelet_pod_start_duration_seconds_count")], [1, 0, 0, 0]);
  await createPod(cluster, "n1", "web", { initContainers: [{ name: "side", image: "a", restartPolicy: "Always" }], ...one({ readinessProbe: { httpGet: { port: 80 }, periodSeconds: 1 }, livenessProbe: { httpGet: { port: 80 }, periodSeconds: 1, failureThreshold: 100 } }) });
  await createPod(cluster, "n1", "bad", { restartPolicy: "Never", ...one({ command: ["false"] }) });
  await cluster.until(() => condition(podNamed(cluster, "web"), "Ready") === "True" && podNamed(cluster, "bad")?.status.phase === "Failed", 20_000, "the pods");
  const after = await scrape();
  assertGrown(before, after);
  const value = (name: string, labels: { readonly [name: string]: string } = {}): number | undefined => valueOf(after, name, labels);
  assert.deepEqual([value("kubelet_running_pods"), value("kubelet_running_containers", { container_state: "running" }), value("kubelet_running_containers", { container_state: "exited" })], [1, 2, 1]);
  assert.deepEqual([value("kubelet_started_pods_total"), value("kubelet_started_pods_errors_total"), value("kubelet_started_containers_total", { container_type: "container" }), value("kubelet_started_containers_total", { container_type: "init_container" })], [2, 0, 2, 1]);
  assert.deepEqual([value("kubelet_containers_per_pod_count_count"), value("kubelet_pod_worker_duration_seconds_count", { operation_type: "create" }), value("kubelet_cgroup_manager_duration_seconds_count", { operation_type: "create" })], [2, 2, 2]);
  assert.ok(value("kubelet_pod_start_duration_seconds_count")! >= 1 && value("kubelet_pleg_relist_duration_seconds_count")! >= 1);

  world.host.status = 500;
  await cluster.until(() => condition(podNamed(cluster, "web"), "Ready") === "False", 10_000, "the failed probes");
  const probes = (): Scrape => parseMetrics(world.api!.probeMetrics());
  const of = (probe_type: string, result: string): number => valueOf(probes(), "prober_probe_total", { probe_type, result, container: "main", pod: "web", namespace: "default", pod_uid: podNamed(cluster, "web")!.metadata.uid! }) ?? 0;
  assert.ok(of("Readiness", "successful") >= 1 && of("Readiness", "failed") >= 3 && of("Liveness", "failed") >= 3);
  assert.equal(valueOf(probes(), "prober_probe_duration_seconds_count", { probe_type: "Readiness" }), of("Readiness", "successful"));
  assert.deepEqual((await cluster.run(world.api!.runningPods())).map(({ metadata, spec }) => [metadata.namespace, metadata.name, spec.containers.map(({ name }) => name).sort().join()]), [["default", "web", "main,side"]]);
  await cluster.run(cluster.admin.delete(Pod, "default", "web"));
  await cluster.until(() => podNamed(cluster, "web") === undefined, 60_000, "gone");
  assert.equal(world.api!.probeMetrics(), "");
  assert.equal(valueOf(await scrape(), "kubelet_running_pods"), 0);
});

scenario("volumes are counted by what mounts them, as wanted and as mounted, and go with their pod", async (cluster, world) => {
  const volumes = [{ name: "scratch", emptyDir: {} }, { name: "here", configMap: { name: "here" } }, { name: "missing", configMap: { name: "missing" } }, { name: "unused", emptyDir: {} }];
  await cluster.run(cluster.admin.create(ConfigMap, { metadata: { name: "here", namespace: "default" }, data: { a: "b" } }));
  await createPod(cluster, "n1", "web", { volumes, containers: [{ name: "main", image: "web:1", volumeMounts: ["scratch", "here", "missing"].map(name => ({ name, mountPath: `/${name}` })) }] });
  const value = async (name: string, labels: { readonly [name: string]: string }): Promise<number | undefined> => valueOf(parseMetrics(await cluster.run(world.api!.metrics())), name, labels);
  const held = async (plugin: string): Promise<readonly (number | undefined)[]> => [await value("volume_manager_total_volumes", { plugin_name: `kubernetes.io/${plugin}`, state: "desired_state_of_world" }), await value("volume_manager_total_volumes", { plugin_name: `kubernetes.io/${plugin}`, state: "actual_state_of_world" })];
  await cluster.until(() => eventsOf(cluster, "web").some(text => text.startsWith("FailedMount")), 10_000, "the failure");
  assert.deepEqual([await held("empty-dir"), await held("configmap")], [[1, 1], [2, 1]]);
  const mounts = (status: string): Promise<number | undefined> => value("storage_operation_duration_seconds_count", { volume_plugin: "kubernetes.io/configmap", operation_name: "volume_mount", status, migrated: "false" });
  assert.equal(await mounts("success"), 1, "looking again at what is mounted is no operation");
  assert.ok((await mounts("fail-unknown"))! >= 1);
  await cluster.run(cluster.admin.create(ConfigMap, { metadata: { name: "missing", namespace: "default" }, data: { a: "b" } }));
  await cluster.until(() => condition(podNamed(cluster, "web"), "Ready") === "True", 200_000, "ready");
  assert.deepEqual([await held("configmap"), await mounts("success")], [[2, 2], 2]);
  await cluster.run(cluster.admin.delete(Pod, "default", "web"));
  await cluster.until(() => podNamed(cluster, "web") === undefined, 60_000, "gone");
  assert.deepEqual([await held("empty-dir"), await held("configmap")], [[undefined, undefined], [undefined, undefined]]);
});

scenario("configz says what the agent does", async (_, world) => {
  const configuration = world.api!.configuration() as { readonly [field: string]: unknown };
  assert.deepEqual([configuration["kind"], configuration["apiVersion"], configuration["maxPods"], configuration["port"], configuration["clusterDomain"], configuration["clusterDNS"], configuration["podLogsDir"]], ["KubeletConfiguration", "kubelet.config.k8s.io/v1beta1", 5, 10250, "cluster.local", ["10.96.0.10"], "/logs"]);
  assert.deepEqual(configuration["evictionHard"], { "memory.available": "100Mi", "imagefs.available": "5%", "imagefs.inodesFree": "5%", "nodefs.available": "5%", "nodefs.inodesFree": "5%" });
  assert.deepEqual(["nodeStatusUpdateFrequency", "nodeStatusReportFrequency", "imageMinimumGCAge", "containerLogMaxSize", "containerLogMaxFiles", "cpuCFSQuotaPeriod", "evictionPressureTransitionPeriod", "syncFrequency"].map(field => configuration[field]), ["10s", "5m0s", "2m0s", "10Mi", 5, "100ms", "5m0s", "1m0s"]);
});

/**
 * What Helm 3.19 asks for when it installs, upgrades, tests, rolls back and uninstalls a chart of its own with a hook, waiting for everything: recorded from the real program, request by
 * request, and answered here by a whole control plane in memory. `TIMONIER_HELM=path npm run e2e -- test/e2e/helm.test.ts` runs the program itself.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Any, World } from "./api-conformance/world.ts";

let world: World;
before(async () => { world = await World.start(); });
after(() => world.stop());

const core = "/api/v1/namespaces/shop", apps = "/apis/apps/v1/namespaces/shop", batch = "/apis/batch/v1/namespaces/shop";
const protobuf = "application/vnd.kubernetes.protobuf", both = { accept: `${protobuf},application/json` };
const selector = { "app.kubernetes.io/instance": "web", "app.kubernetes.io/name": "web" };
const metadata = { annotations: { "meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop" }, labels: { ...selector, "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/version": "1.16.0", "helm.sh/chart": "web-0.1.0" }, name: "web", namespace: "shop" };
const probe = { httpGet: { path: "/", port: "http" } };
const manifests: readonly (readonly [string, string, object])[] = [
  [core, "serviceaccounts", { apiVersion: "v1", automountServiceAccountToken: true, kind: "ServiceAccount", metadata }],
  [core, "services", { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: "http" }], selector, type: "ClusterIP" } }],
  [apps, "deployments", { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { replicas: 1, selector: { matchLabels: selector }, template: { metadata: { labels: metadata.labels }, spec: { containers: [{ image: "nginx:1.16.0", imagePullPolicy: "IfNotPresent", livenessProbe: probe, name: "web", ports: [{ containerPort: 80, name: "http", protocol: "TCP" }], readinessProbe: probe }], serviceAccountName: "web" } } } }],
];
const hook = {
  apiVersion: "batch/v1", kind: "Job", metadata: { annotations: { "helm.sh/hook": "pre-install,pre-upgrade,post-rollback", "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded", "helm.sh/hook-weight": "1" }, name: "web-pre", namespace: "shop" },
  spec: { template: { spec: { containers: [{ command: ["true"], image: "busybox", name: "c" }], restartPolicy: "Never" } } },
};

/** A field of a protobuf message as client-go writes it, its empty texts too. */
const field = (number: number, content: Uint8Array | string): Uint8Array => {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content, length: number[] = [];
  for (let left = bytes.length; length.length === 0 || left > 0; left >>= 7) length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  return Uint8Array.of((number << 3) | 2, ...length, ...bytes);
};
const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap(part => [...part]));
const enveloped = (kind: string, raw: Uint8Array): Uint8Array => joined(new TextEncoder().encode("k8s\0"), field(1, joined(field(1, "v1"), field(2, kind))), field(2, raw), field(3, ""), field(4, ""));
/** A release as Helm keeps it: its text packed, everything else in labels. */
function release(version: number, status: string, more: { readonly [label: string]: string } = {}): Uint8Array {
  const labels = Object.entries({ ...more, name: "web", owner: "helm", status, version: String(version) }).sort(([a], [b]) => (a < b ? -1 : 1));
  const meta = joined(field(1, `sh.helm.release.v1.web.v${version}`), field(2, ""), field(3, ""), field(4, ""), field(5, ""), field(6, ""), Uint8Array.of(0x38, 0), field(8, ""), ...labels.map(([key, value]) => field(11, joined(field(1, key), field(2, value)))));
  return enveloped("Secret", joined(field(1, meta), field(2, joined(field(1, "release"), field(2, `release ${version} `.repeat(800)))), field(3, "helm.sh/release.v1")));
}
const releases = `${core}/secrets`;
async function keep(method: "POST" | "PUT", version: number, status: string, more: { readonly [label: string]: string } = { modifiedAt: "1795203125" }): Promise<void> {
  const answer = await world.ask(method, method === "POST" ? releases : `${releases}/sh.helm.release.v1.web.v${version}`, { body: release(version, status, more), type: protobuf, headers: both });
  assert.deepEqual([answer.status, answer.headers["content-type"]], [method === "POST" ? 201 : 200, protobuf], answer.text);
  assert.match(answer.text, new RegExp(`^k8s\0[^]*Secret[^]*sh\\.helm\\.release\\.v1\\.web\\.v${version}[^]*${status}`));
}
/** Names of the releases that a selector finds. */
async function history(labels: string): Promise<readonly string[]> {
  const answer = await world.ask("GET", `${releases}?labelSelector=${encodeURIComponent(labels)}`, { headers: both });
  assert.deepEqual([answer.status, answer.headers["content-type"]], [200, protobuf]);
  return [...new Set([...answer.text.matchAll(/sh\.helm\.release\.v1\.web\.v\d/g)].map(([name]) => name))];
}

/** Before each command: the versions, and discovery as one document each, unless it is known already. */
async function begin(etags: { [target: string]: string }): Promise<void> {
  assert.match((await world.get("/version")).gitVersion, /^v1\.36/);
  for (const target of ["/api?timeout=32s", "/apis?timeout=32s"]) {
    const known = etags[target];
    const answer = await world.ask("GET", target, { headers: { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json", ...(known === undefined ? {} : { "if-none-match": known }) } });
    assert.equal(answer.status, known === undefined ? 200 : 304, target);
    etags[target] ??= String(answer.headers["etag"]);
  }
  const paths = (await world.get("/openapi/v3?timeout=32s")).paths;
  for (const group of ["api/v1", "apis/apps/v1", "apis/batch/v1"]) assert.equal((await world.ask("GET", `${paths[group].serverRelativeURL}&timeout=32s`, { headers: { accept: "application/json" } })).body.openapi, "3.0.0");
}

/** A node that is nowhere: pods of jobs end well, others are ready. */
async function run(): Promise<void> {
  for (const { metadata: { name }, status, spec } of (await world.get(`${core}/pods`)).items) {
    if (status.phase !== "Pending") continue;
    const done = spec.restartPolicy === "Never", time = "2026-01-01T00:00:00Z";
    await world.merge(`${core}/pods/${name}/status`, { status: { phase: done ? "Succeeded" : "Running", startTime: time, conditions: ["Ready", "ContainersReady", "Initialized"].map(type => ({ type, status: done && type !== "Initialized" ? "False" : "True", lastTransitionTime: time })) } });
  }
}

/** A hook's way: an old one goes, it runs, is waited for, and goes. */
async function runHook(): Promise<void> {
  const gone = async (status: number): Promise<void> => {
    assert.equal((await world.ask("DELETE", `${batch}/jobs/web-pre`, { body: { propagationPolicy: "Background" } })).status, status);
    await world.eventually(`${batch}/jobs/web-pre`, object => object === undefined, "it is gone");
    assert.equal((await world.get(core)).status.phase, "Active");
  };
  await gone(404);
  const made = await world.create(`${batch}/jobs?fieldManager=helm`, hook);
  assert.deepEqual(made.metadata.managedFields.map(({ manager, operation }: Any) => `${manager} ${operation}`), ["helm Update"]);
  const listed = await world.get(`${batch}/jobs?fieldSelector=metadata.name%3Dweb-pre&limit=500&resourceVersion=0`);
  const watching = await world.watch(`${batch}/jobs?allowWatchBookmarks=true&fieldSelector=metadata.name%3Dweb-pre&resourceVersion=${listed.metadata.resourceVersion}`);
  for (let i = 0; i < 50 && !watching.events().some(({ object }) => object.status.conditions?.some(({ type, status }: Any) => type === "Complete" && status === "True")); i++) {
    await run();
    await world.clock.pass(500);
  }
  assert.ok(watching.events().at(-1).object.status.succeeded === 1, "the hook's job is complete, and its watcher hears so");
  await watching.close();
  await gone(200);
}

/** What `--wait` looks at every two seconds. */
async function ready(replicas: number): Promise<void> {
  const isReady = async (): Promise<boolean> => {
    const [service, deployment, sets] = [await world.get(`${core}/services/web`), await world.get(`${apps}/deployments/web`), await world.get(`${apps}/replicasets?labelSelector=app.kubernetes.io%2Finstance%3Dweb%2Capp.kubernetes.io%2Fname%3Dweb`)];
    assert.ok(service.spec.clusterIP !== "" && sets.items.every((set: Any) => set.metadata.ownerReferences[0].uid === deployment.metadata.uid));
    return deployment.status.observedGeneration === deployment.metadata.generation && sets.items.some((set: Any) => (set.status.readyReplicas ?? 0) === replicas) && deployment.spec.replicas === replicas;
  };
  for (let i = 0; i < 30; i++) {
    if (await isReady()) return;
    await run();
    await world.clock.pass(2_000);
  }
  assert.fail("the deployment is not ready");
}

/** Helm's three-way merge sends what changed, and nothing where nothing did. */
async function change(replicas: number): Promise<void> {
  for (const [at, resource] of manifests) for (let i = 0; i < 3; i++) assert.equal((await world.ask("GET", `${at}/${resource}/web`)).status, 200);
  const { spec, metadata: { managedFields } } = await world.strategic(`${apps}/deployments/web?fieldManager=helm`, { spec: { replicas } });
  assert.equal(spec.replicas, replicas);
  assert.deepEqual(managedFields.map(({ manager, subresource }: Any) => `${manager}${subresource === undefined ? "" : `/${subresource}`}`).filter((manager: string) => manager.startsWith("helm")), ["helm"]);
  await ready(replicas);
}

const etags = {};
test("install: nothing is there, the namespace is made, the hook runs, everything becomes ready", async () => {
  await begin(etags);
  assert.deepEqual(await history("name=web,owner=helm"), []);
  for (const [at, resource] of manifests) assert.equal(await world.refused(404, "GET", `${at}/${resource}/web`), `${resource}${at === apps ? ".apps" : ""} "web" not found`);
  await world.create("/api/v1/namespaces?fieldManager=helm", { apiVersion: "v1", kind: "Namespace", metadata: { labels: { name: "shop" }, name: "shop" }, spec: {}, status: {} });
  await keep("POST", 1, "pending-install", { createdAt: "1795203125" });
  await world.eventually(`${core}/serviceaccounts/default`, object => object !== undefined, "the hook's account is there");
  await runHook();
  await keep("PUT", 1, "pending-install");
  for (const [at, resource, manifest] of manifests) await world.create(`${at}/${resource}?fieldManager=helm`, manifest);
  await ready(1);
  await keep("PUT", 1, "deployed");
});

test("upgrade: discovery is known already, two replicas, the old release is superseded", async () => {
  await begin(etags);
  assert.deepEqual(await history("name=web,owner=helm"), ["sh.helm.release.v1.web.v1"]);
  await keep("POST", 2, "pending-upgrade", { createdAt: "1795203128", modifiedAt: "1795203127" });
  await runHook();
  await change(2);
  await keep("PUT", 1, "superseded");
  await keep("PUT", 2, "deployed");
  assert.deepEqual(await history("name=web,owner=helm,status=deployed"), ["sh.helm.release.v1.web.v2"]);
});

test("test: a pod runs to its end, and is watched", async () => {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { annotations: { "helm.sh/hook": "test" }, name: "web-test-connection", namespace: "shop" }, spec: { containers: [{ args: ["web:80"], command: ["wget"], image: "busybox", name: "wget" }], restartPolicy: "Never" } };
  assert.equal((await world.ask("DELETE", `${core}/pods/web-test-connection`, { body: { propagationPolicy: "Background" } })).status, 404);
  await world.create(`${core}/pods?fieldManager=helm`, pod);
  const listed = await world.get(`${core}/pods?fieldSelector=metadata.name%3Dweb-test-connection&limit=500&resourceVersion=0`);
  assert.equal(listed.items.length, 1);
  const watching = await world.watch(`${core}/pods?allowWatchBookmarks=true&fieldSelector=metadata.name%3Dweb-test-connection&resourceVersion=${listed.metadata.resourceVersion}`);
  await run();
  await world.clock.pass(1_000);
  assert.equal(watching.events().at(-1).object.status.phase, "Succeeded");
  await watching.close();
  await world.delete(`${core}/pods/web-test-connection`);
});

test("rollback: the first release again, as a third", async () => {
  await begin(etags);
  assert.equal((await world.ask("GET", `${releases}/sh.helm.release.v1.web.v1`, { headers: both })).status, 200);
  await keep("POST", 3, "pending-rollback", { createdAt: "1795203161" });
  await change(1);
  await runHook();
  await keep("PUT", 2, "superseded");
  await keep("PUT", 3, "deployed");
  assert.deepEqual(await history("name=web,owner=helm"), [1, 2, 3].map(version => `sh.helm.release.v1.web.v${version}`));
});

test("uninstall: everything goes, what it owned goes with it, the releases last", async () => {
  await keep("PUT", 3, "uninstalling");
  for (const [at, resource] of [manifests[1]!, manifests[2]!, manifests[0]!]) assert.equal((await world.ask("DELETE", `${at}/${resource}/web`, { body: { propagationPolicy: "Background" } })).status, 200);
  for (const [at, resource] of manifests) await world.eventually(`${at}/${resource}/web`, object => object === undefined, "it is gone");
  for (const version of [1, 2, 3]) {
    const answer = await world.ask("DELETE", `${releases}/sh.helm.release.v1.web.v${version}`, { body: enveloped("DeleteOptions", new Uint8Array()), type: protobuf, headers: both });
    assert.deepEqual([answer.status, answer.headers["content-type"]], [200, protobuf]);
  }
  assert.deepEqual(await history("owner=helm"), []);
  for (const left of [`${apps}/replicasets`, `${core}/pods`]) await world.eventually(left, list => list.items.every((each: Any) => each.metadata.deletionTimestamp !== undefined), "nothing is left but what a node has to end");
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test, type TestContext } from "node:test";
import type { Clock } from "../../base/clock.ts";
import { silent } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import { kinds } from "../../kinds/index.ts";
import { MemoryEngine } from "../../store/memory.ts";
import { RevisionedStore } from "../../store/revisioned-store.ts";
import { authorizerChain, privileged } from "../authz/authorizer.ts";
import { Rbac } from "../authz/rbac.ts";
import type { RequestAttributes } from "../context.ts";
import type { Core } from "../core.ts";
import { ApiServer } from "../server.ts";
import { remove } from "../delete.ts";
import { apiServerUser, bootstrapSystem, keepSystem, type SystemFacts } from "./system.ts";

const clock: Clock = { now: () => 1_800_000_000_000, monotonic: () => 0, sleep: () => new Promise(resolve => setImmediate(resolve)), after: () => () => {} };
const facts: SystemFacts = { address: "192.0.2.1", port: 6443, serviceAddress: "10.96.0.1", clientCa: "CLIENT", frontProxyCa: "PROXY", frontProxyNames: ["front-proxy-client"] };

function random(): Random {
  let n = 0;
  return { next: () => (n = (n * 16807 + 7) % 2147483647) / 2147483647, uuid: () => `00000000-0000-4000-8000-${String(++n).padStart(12, "0")}`, bytes: length => new Uint8Array(length) };
}

async function server(t: TestContext): Promise<{ core: Core; rbac: Rbac; store: RevisionedStore }> {
  const store = await RevisionedStore.open(new MemoryEngine(), { clock, log: silent, onFailure: error => { throw error; } });
  const rbac = new Rbac();
  const stop = rbac.follow(store);
  t.after(async () => { stop(); await store.close(); });
  const api = new ApiServer({
    store, kinds, clock, random: random(), log: silent, fatal: error => { throw error; },
    authenticator: () => ({ authenticate: async () => undefined, reviewToken: async () => ({ authenticated: false }) }),
    authorizer: () => authorizerChain(privileged, rbac),
    parseYaml: () => { throw new Error("no YAML here"); },
    sha512: text => createHash("sha512").update(text).digest(),
    build: { gitVersion: "v1.36.0", gitCommit: "", buildDate: "", platform: "", runtime: "" }, address: "127.0.0.1:6443",
  });
  return { core: api.core, rbac, store };
}

const asks = (verb: string, group: string, resource: string, namespace = ""): RequestAttributes =>
  ({ verb, group, version: "v1", resource, subresource: "", namespace, name: "", path: "", resourceRequest: true });
const user = (name: string, ...groups: string[]) => ({ name, uid: "", groups, extra: {} });

test("a new cluster has the system namespaces, the kubernetes service and the default roles", async t => {
  const { core } = await server(t);
  await bootstrapSystem(core, facts);
  const { reader } = core;
  assert.deepEqual(reader.list("", "namespaces", "").map(({ metadata }) => metadata.name), ["default", "kube-node-lease", "kube-public", "kube-system"]);
  assert.deepEqual(reader.get("", "services", "default", "kubernetes").spec.clusterIP, "10.96.0.1");
  assert.deepEqual(reader.get("", "endpoints", "default", "kubernetes").subsets, [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ name: "https", port: 6443, protocol: "TCP" }] }]);
  assert.deepEqual(reader.get("discovery.k8s.io", "endpointslices", "default", "kubernetes").endpoints[0].addresses, ["192.0.2.1"]);
  assert.equal(reader.get("", "configmaps", "kube-system", "extension-apiserver-authentication").data["client-ca-file"], "CLIENT");
  assert.deepEqual(["clusterroles", "clusterrolebindings", "roles", "rolebindings"].map(plural => reader.list("rbac.authorization.k8s.io", plural, "").length), [69 + 2, 50 + 1, 7, 7], "upstream's, ours for network policies, and metrics-server's for those who read metrics");
});

test("what upstream's server looks after comes back when it is deleted or spoilt, and costs nothing while it is there", async t => {
  const { core, store } = await server(t);
  await bootstrapSystem(core, facts);
  const { revision } = store;
  const stop = new AbortController();
  const kept = keepSystem(core, facts, stop.signal);
  await new Promise(setImmediate);
  assert.equal(store.revision, revision);
  const keys = ["core/services/default/kubernetes", "core/endpoints/default/kubernetes", "discovery.k8s.io/endpointslices/default/kubernetes", "core/configmaps/kube-system/extension-apiserver-authentication", "core/namespaces/kube-node-lease"].map(key => `/registry/${key}`);
  // Services give back their addresses when they are removed.
  await remove(core, { served: core.registry.resource("", "services")!, namespace: "default", name: "kubernetes", subresource: "", user: apiServerUser, userAgent: "", limit: stop, warn: () => undefined }, { dryRun: false });
  for (const key of keys.slice(1)) await store.delete(key, store.get(key)!.revision);
  for (let turns = 0; keys.some(key => store.get(key) === undefined) && turns < 1_000; turns++) await new Promise(setImmediate);
  assert.deepEqual(keys.filter(key => store.get(key) === undefined), []);
  stop.abort();
  await kept;
});

test("a second start writes nothing", async t => {
  const { core, store } = await server(t);
  await bootstrapSystem(core, facts);
  const { revision } = store;
  await bootstrapSystem(core, facts);
  assert.equal(store.revision, revision);
});

test("a new address of the machine is written to the kubernetes endpoints", async t => {
  const { core } = await server(t);
  await bootstrapSystem(core, facts);
  await bootstrapSystem(core, { ...facts, address: "192.0.2.9" });
  assert.equal(core.reader.get("", "endpoints", "default", "kubernetes").subsets[0].addresses[0].ip, "192.0.2.9");
  assert.deepEqual(core.reader.get("discovery.k8s.io", "endpointslices", "default", "kubernetes").endpoints[0].addresses, ["192.0.2.9"]);
});

test("the default roles let in whom upstream's let in", async t => {
  const { core, rbac } = await server(t);
  await bootstrapSystem(core, facts);
  const controller = (name: string) => user(`system:serviceaccount:kube-system:${name}`, "system:serviceaccounts", "system:authenticated");
  assert.equal(rbac.authorize(controller("replicaset-controller"), asks("create", "", "pods", "shop")).allowed, true);
  assert.equal(rbac.authorize(controller("replicaset-controller"), asks("delete", "", "secrets", "shop")).allowed, false);
  assert.equal(rbac.authorize(controller("generic-garbage-collector"), asks("patch", "example.com", "anything", "x")).allowed, true);
  assert.equal(rbac.authorize(user("system:kube-scheduler"), asks("create", "", "pods", "x")).allowed, false);
  assert.equal(rbac.authorize(user("system:node:a", "system:nodes", "system:authenticated"), asks("get", "", "secrets", "x")).allowed, false);
  assert.equal(rbac.authorize(user("eve", "system:authenticated"), asks("create", "authorization.k8s.io", "selfsubjectaccessreviews")).allowed, true);
});

test("admin, edit and view hold what is aggregated into them, from the first moment", async t => {
  const { core } = await server(t);
  await bootstrapSystem(core, facts);
  const count = (name: string) => core.reader.get("rbac.authorization.k8s.io", "clusterroles", "", name).rules.length;
  assert.deepEqual(["view", "edit", "admin"].map(count), [13, 28, 30]);
});

test("a default role gets back what was taken from it and keeps what was added, unless updating is turned off", async t => {
  const { core } = await server(t);
  await bootstrapSystem(core, facts);
  const role = (name: string) => core.reader.get("rbac.authorization.k8s.io", "clusterroles", "", name);
  const change = async (name: string, edit: (object: any) => void) => {
    const key = `/registry/rbac.authorization.k8s.io/clusterroles/${name}`;
    const entry = core.store.get(key)!;
    const object = JSON.parse(entry.value);
    edit(object);
    await core.store.put(key, JSON.stringify(object), entry.revision);
  };
  const extra = { verbs: ["get"], apiGroups: ["example.com"], resources: ["widgets"] };
  await change("system:kube-dns", object => { object.rules = [{ verbs: ["list"], apiGroups: [""], resources: ["services", "endpoints"] }, extra]; });
  await change("system:heapster", object => { object.rules = []; object.metadata.annotations["rbac.authorization.kubernetes.io/autoupdate"] = "false"; });
  await bootstrapSystem(core, facts);
  assert.deepEqual(role("system:kube-dns").rules, [
    { verbs: ["list"], apiGroups: [""], resources: ["services", "endpoints"] }, extra,
    { verbs: ["watch"], apiGroups: [""], resources: ["endpoints"] }, { verbs: ["watch"], apiGroups: [""], resources: ["services"] },
  ]);
  assert.deepEqual(role("system:heapster").rules, []);
});

test("a default binding that was pointed at another role is made again", async t => {
  const { core } = await server(t);
  await bootstrapSystem(core, facts);
  const key = "/registry/rbac.authorization.k8s.io/clusterrolebindings/system:basic-user";
  const entry = core.store.get(key)!;
  const object = JSON.parse(entry.value);
  await core.store.put(key, JSON.stringify({ ...object, roleRef: { ...object.roleRef, name: "cluster-admin" } }), entry.revision);
  await bootstrapSystem(core, facts);
  assert.equal(core.reader.get("rbac.authorization.k8s.io", "clusterrolebindings", "", "system:basic-user").roleRef.name, "system:basic-user");
});

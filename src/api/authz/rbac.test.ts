import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Clock } from "../../base/clock.ts";
import { silent } from "../../base/log.ts";
import { MemoryEngine } from "../../store/memory.ts";
import { RevisionedStore } from "../../store/revisioned-store.ts";
import type { RequestAttributes, User } from "../context.ts";
import { authorizerChain, privileged } from "./authorizer.ts";
import { Rbac } from "./rbac.ts";

const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: async () => {}, after: () => () => {} };
const user = (name: string, ...groups: string[]): User => ({ name, uid: "", groups, extra: {} });
/** `get pods/log in shop named web`, `get /metrics` */
function asks(text: string): RequestAttributes {
  const [verb = "", what = "", ...rest] = text.split(" ");
  const after = (word: string): string => rest[rest.indexOf(word) + 1] ?? "";
  const base = { verb, group: "", version: "v1", resource: "", subresource: "", namespace: "", name: "", path: "", resourceRequest: false };
  if (what.startsWith("/")) return { ...base, path: what };
  const [resource = "", subresource = ""] = what.split("/");
  const [plural = "", ...group] = resource.split(".");
  return { ...base, resource: plural, group: group.join("."), subresource, resourceRequest: true, namespace: rest.includes("in") ? after("in") : "", name: rest.includes("named") ? after("named") : "" };
}

async function setUp(t: TestContext, objects: { [path: string]: object }) {
  const store = await RevisionedStore.open(new MemoryEngine(), { clock, log: silent, onFailure: error => { throw error; } });
  const put = (path: string, object: object) => store.put(`/registry/rbac.authorization.k8s.io/${path}`, JSON.stringify(object), store.get(`/registry/rbac.authorization.k8s.io/${path}`)?.revision ?? 0);
  const remove = (path: string) => store.delete(`/registry/rbac.authorization.k8s.io/${path}`, store.get(`/registry/rbac.authorization.k8s.io/${path}`)!.revision);
  for (const [path, object] of Object.entries(objects)) await put(path, object);
  const rbac = new Rbac();
  const stop = rbac.follow(store);
  t.after(async () => { stop(); await store.close(); });
  const authorizer = authorizerChain(privileged, rbac);
  return { put, remove, rbac, may: (who: User, text: string) => {
    const decision = authorizer.authorize(who, asks(text));
    assert.ok(!(decision instanceof Promise), "ours answer at once");
    return decision;
  } };
}

const role = (...rules: object[]) => ({ rules });
const binding = (kind: string, name: string, ...subjects: object[]) => ({ roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name }, subjects });
const User = (name: string) => ({ kind: "User", name, apiGroup: "rbac.authorization.k8s.io" });
const Group = (name: string) => ({ kind: "Group", name, apiGroup: "rbac.authorization.k8s.io" });
const Account = (name: string, namespace?: string) => ({ kind: "ServiceAccount", name, ...(namespace ? { namespace } : {}) });

test("system:masters may do everything, without a rule", async t => {
  const { may } = await setUp(t, {});
  for (const text of ["delete nodes", "get /metrics", "impersonate users named x"]) assert.equal(may(user("root", "system:masters"), text).allowed, true);
  assert.deepEqual(may(user("root"), "delete nodes"), { allowed: false });
});

test("a decision names the binding, the role and the subject, as upstream does", async t => {
  const { may } = await setUp(t, {
    "clusterroles/reader": role({ apiGroups: [""], resources: ["pods"], verbs: ["get"] }),
    "roles/shop/writer": role({ apiGroups: [""], resources: ["pods"], verbs: ["create"] }),
    "clusterrolebindings/all-read": binding("ClusterRole", "reader", Group("system:authenticated")),
    "rolebindings/shop/write": binding("Role", "writer", Account("web")),
    "rolebindings/shop/read-too": binding("ClusterRole", "reader", User("eve")),
  });
  assert.deepEqual(may(user("alice", "system:authenticated"), "get pods in shop"), { allowed: true, reason: 'RBAC: allowed by ClusterRoleBinding "all-read" of ClusterRole "reader" to Group "system:authenticated"' });
  assert.deepEqual(may(user("system:serviceaccount:shop:web"), "create pods in shop"), { allowed: true, reason: 'RBAC: allowed by RoleBinding "write/shop" of Role "writer" to ServiceAccount "web/shop"' });
  assert.deepEqual(may(user("eve"), "get pods in shop"), { allowed: true, reason: 'RBAC: allowed by RoleBinding "read-too/shop" of ClusterRole "reader" to User "eve"' });
  assert.deepEqual(may(user("eve"), "get pods in other"), { allowed: false });
  assert.deepEqual(may(user("system:serviceaccount:other:web"), "create pods in shop"), { allowed: false });
});

test("a binding to a role that is gone says so", async t => {
  const { may, remove } = await setUp(t, { "clusterroles/r": role({ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }), "clusterrolebindings/b": binding("ClusterRole", "r", User("eve")) });
  assert.equal(may(user("eve"), "get pods").allowed, true);
  await remove("clusterroles/r");
  assert.deepEqual(may(user("eve"), "get pods"), { allowed: false, reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "r" not found' });
});

test("a removed or changed binding counts at once", async t => {
  const { may, put, remove } = await setUp(t, { "clusterroles/r": role({ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }), "clusterrolebindings/b": binding("ClusterRole", "r", User("eve"), User("eve"), Group("g")) });
  await put("clusterrolebindings/b", binding("ClusterRole", "r", Group("g")));
  assert.equal(may(user("eve"), "get pods").allowed, false);
  assert.equal(may(user("eve", "g"), "get pods").allowed, true);
  await remove("clusterrolebindings/b");
  assert.equal(may(user("eve", "g"), "get pods").allowed, false);
});

test("rules match verbs, groups, resources, subresources, names and URLs as upstream's", async t => {
  const rules: { [name: string]: object } = {
    exact: { verbs: ["get"], apiGroups: ["apps"], resources: ["deployments"] },
    scale: { verbs: ["update"], apiGroups: ["*"], resources: ["*/scale"] },
    star: { verbs: ["*"], apiGroups: [""], resources: ["*"] },
    named: { verbs: ["get", "list"], apiGroups: [""], resources: ["secrets"], resourceNames: ["a", "b"] },
    url: { verbs: ["get"], nonResourceURLs: ["/healthz/*", "/version", "/logs**"] },
    urls: { verbs: ["*"], nonResourceURLs: ["*"] },
  };
  const table: [string, string, boolean][] = [
    ["exact", "get deployments.apps", true], ["exact", "get deployments.apps/status", false], ["exact", "get deployments", false], ["exact", "list deployments.apps", false],
    ["scale", "update deployments.apps/scale", true], ["scale", "update widgets.example.com/scale", true], ["scale", "update deployments.apps", false], ["scale", "update pods/scales", false],
    ["star", "delete pods/exec in x named y", true], ["star", "get deployments.apps", false], ["star", "get /api", false],
    ["named", "get secrets in x named a", true], ["named", "get secrets in x named c", false], ["named", "list secrets in x", false], ["named", "list secrets in x named b", true],
    ["url", "get /healthz/ping", true], ["url", "get /healthz/", true], ["url", "get /healthz", false], ["url", "get /version", true], ["url", "get /version/", false], ["url", "get /logsx", true], ["url", "post /version", false], ["url", "get pods", false],
    ["urls", "post /anything", true], ["urls", "get pods", false],
  ];
  for (const [name, text, allowed] of table) {
    const { may } = await setUp(t, { "clusterroles/r": role(rules[name]!), "clusterrolebindings/b": binding("ClusterRole", "r", User("u")) });
    assert.equal(may(user("u"), text).allowed, allowed, `${name}: ${text}`);
  }
});

test("a namespaced binding never reaches URLs or cluster-wide requests", async t => {
  const { may } = await setUp(t, { "clusterroles/r": role({ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, { verbs: ["*"], nonResourceURLs: ["*"] }), "rolebindings/x/b": binding("ClusterRole", "r", User("u")) });
  assert.deepEqual(["get pods in x", "get pods", "get nodes", "get /api"].map(text => may(user("u"), text).allowed), [true, false, false, false]);
});

test("names that JavaScript's objects know mean nothing special", async t => {
  const { may } = await setUp(t, { "clusterroles/__proto__": role({ verbs: ["get"], apiGroups: [""], resources: ["pods"] }), "clusterrolebindings/constructor": binding("ClusterRole", "__proto__", User("toString")) });
  assert.equal(may(user("toString"), "get pods").allowed, true);
  assert.equal(may(user("__proto__"), "get pods").allowed, false);
});

test("the rules of a user are those of the cluster and of the namespace", async t => {
  const { rbac } = await setUp(t, {
    "clusterroles/a": role({ verbs: ["get"], apiGroups: [""], resources: ["nodes"] }, { verbs: ["get"], nonResourceURLs: ["/version"] }),
    "roles/x/b": role({ verbs: ["list"], apiGroups: [""], resources: ["pods"], resourceNames: ["p"] }),
    "clusterrolebindings/a": binding("ClusterRole", "a", User("u")), "rolebindings/x/b": binding("Role", "b", User("u")), "rolebindings/x/c": binding("Role", "gone", User("u")),
  });
  assert.deepEqual(rbac.rules(user("u"), "x"), {
    resourceRules: [{ verbs: ["get"], apiGroups: [""], resources: ["nodes"] }, { verbs: ["list"], apiGroups: [""], resources: ["pods"], resourceNames: ["p"] }],
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/version"] }], incomplete: false, evaluationError: 'role.rbac.authorization.k8s.io "gone" not found',
  });
});

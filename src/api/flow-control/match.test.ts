import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequest } from "../request-info.ts";
import { byPrecedence, Matcher } from "./match.ts";
import { mandatorySchemas, suggestedSchemas, type SchemaObject } from "./objects.ts";

const matcherOf = (schemas: readonly SchemaObject[]): Matcher<string> => new Matcher([...schemas].sort(byPrecedence).map(({ metadata, spec }) => ({ spec, target: `${metadata.name} → ${spec.priorityLevelConfiguration.name}` })), "nothing");
const user = (name: string, ...groups: readonly string[]) => ({ name, uid: "", groups, extra: {} });
const account = (namespace: string, name: string) => user(`system:serviceaccount:${namespace}:${name}`, "system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated");
const node = user("system:node:a", "system:nodes", "system:authenticated");
const alice = user("alice", "system:authenticated");
const standard = matcherOf([...mandatorySchemas, ...suggestedSchemas]);

for (const [who, method, target, schema] of [
  [user("admin", "system:masters", "system:authenticated"), "DELETE", "/api/v1/nodes/a", "exempt → exempt"],
  [user("system:anonymous", "system:unauthenticated"), "GET", "/livez", "probes → exempt"],
  [alice, "GET", "/readyz/ping", "probes → exempt"],
  [alice, "GET", "/metrics", "global-default → global-default"],
  [alice, "GET", "/api/v1/pods", "global-default → global-default"],
  [node, "PATCH", "/api/v1/nodes/a/status", "system-node-high → node-high"],
  [node, "PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a", "system-node-high → node-high"],
  [node, "GET", "/apis/coordination.k8s.io/v1/leases", "system-nodes → system"],
  [node, "PATCH", "/api/v1/namespaces/default/pods/web/status", "system-nodes → system"],
  [user("system:kube-scheduler", "system:authenticated"), "PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler", "system-leader-election → leader-election"],
  [user("system:kube-scheduler", "system:authenticated"), "PATCH", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler", "kube-scheduler → workload-high"],
  [user("system:kube-controller-manager", "system:authenticated"), "GET", "/api/v1/pods", "kube-controller-manager → workload-high"],
  [account("kube-system", "operator"), "POST", "/apis/coordination.k8s.io/v1/namespaces/x/leases", "system-leader-election → leader-election"],
  [account("kube-system", "operator"), "GET", "/api/v1/pods", "kube-system-service-accounts → workload-high"],
  [account("kube-systemic", "operator"), "GET", "/api/v1/pods", "service-accounts → workload-low"],
  [user("nobody"), "GET", "/api/v1/pods", "nothing"],
] as const) test(`${who.name} ${method} ${target} falls under ${schema}`, () => assert.equal(standard.match(who, parseRequest(method, target)), schema));

const rule = (more: object) => ({ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: false, ...more });
const one = (rules: object): Matcher<string> => matcherOf([{ metadata: { name: "x" }, spec: { priorityLevelConfiguration: { name: "l" }, matchingPrecedence: 5, rules: [{ subjects: [{ kind: "User", user: { name: "alice" } }], ...rules }] } } as SchemaObject]);
for (const [name, rules, target, matches] of [
  ["a rule without cluster scope leaves out what lies in no namespace", { resourceRules: [rule({})] }, "/api/v1/nodes", false],
  ["a rule of a namespace is for that one", { resourceRules: [rule({ namespaces: ["a"] })] }, "/api/v1/namespaces/a/pods", true],
  ["a rule of a namespace is not for another", { resourceRules: [rule({ namespaces: ["b"] })] }, "/api/v1/namespaces/a/pods", false],
  ["a resource does not stand for its subresources", { resourceRules: [rule({ resources: ["pods"] })] }, "/api/v1/namespaces/a/pods/x/log", false],
  ["a subresource is named", { resourceRules: [rule({ resources: ["pods/log"] })] }, "/api/v1/namespaces/a/pods/x/log", true],
  ["a rule of resources is for no path", { resourceRules: [rule({ clusterScope: true })] }, "/version", false],
  ["a path stands for what is below it", { nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/debug"] }] }, "/debug/x", true],
  ["a path does not stand for one that begins alike", { nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/debug/*"] }] }, "/debugger", false],
] as const) test(name, () => assert.equal(one(rules).match(alice, parseRequest("GET", target)), matches ? "x → l" : "nothing"));

test("the lowest precedence goes first, and the first name among equals", () => {
  const named = (name: string, matchingPrecedence: number): SchemaObject => ({ metadata: { name }, spec: { priorityLevelConfiguration: { name: "l" }, matchingPrecedence, rules: [{ subjects: [{ kind: "Group", group: { name: "*" } }], resourceRules: [rule({ clusterScope: true })] }] } });
  assert.equal(matcherOf([named("b", 7), named("c", 7), named("a", 9)]).match(alice, parseRequest("GET", "/api/v1/pods")), "b → l");
});

/**
 * P23: the indexed evaluator against a naive one, written from the documentation of RBAC and sharing no code with it, on random policies, subjects and
 * requests. A million triples: `TRIPLES=1000000 node tools/test.ts unit src/api/authz/oracle.test.ts`; `SEED=…` replays.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../base/clock.ts";
import { silent } from "../../base/log.ts";
import { MemoryEngine } from "../../store/memory.ts";
import { RevisionedStore } from "../../store/revisioned-store.ts";
import type { RequestAttributes, User } from "../context.ts";
import { Rbac } from "./rbac.ts";
import { uncovered, type Rule } from "./rules.ts";

const triples = Number(process.env["TRIPLES"] ?? 20_000);
const seed = Number(process.env["SEED"] ?? 23);
const requestsPerPolicy = 200;

/** mulberry32 */
function chance(state: number) {
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return { below, one: <T>(list: readonly T[]): T => list[below(list.length)]!, some: <T>(list: readonly T[], most: number): T[] => Array.from({ length: below(8) === 0 ? 0 : 1 + below(most) }, () => list[below(list.length)]!) };
}
type Chance = ReturnType<typeof chance>;

const words = {
  namespaces: ["", "x", "y", "xy"], verbs: ["get", "list", "create", "delete", "*", "impersonate"], groups: ["", "apps", "*", "rbac.authorization.k8s.io"],
  resources: ["pods", "pods/log", "pods/*", "*/log", "*", "*/*", "secrets", "deployments/scale", "*/scale", "deployments", "/log"], names: ["a", "b", "", "*"],
  urls: ["/healthz", "/healthz/*", "*", "/api*", "/apis/**", "/", "/*", "", "/healthz/"], paths: ["/healthz", "/healthz/", "/healthz/ping", "/", "/api", "/apis", "/apis/x", "/x", "/healthz/*", "*", ""],
  users: ["alice", "bob", "system:serviceaccount:x:web", "system:serviceaccount:y:web", "system:serviceaccount:x:web:y", "web", ""], userGroups: ["dev", "system:authenticated", "alice", ""], roles: ["r1", "r2", "r3", "gone"],
};

type Policy = { clusterRoles: Map<string, Rule[]>; roles: Map<string, Rule[]>; bindings: { namespace: string; name: string; roleRef: { kind: string; name: string }; subjects: any[] }[] };

function randomPolicy(c: Chance): Policy {
  const rule = (): Rule => (c.below(4) === 0
    ? { verbs: c.some(words.verbs, 2), nonResourceURLs: c.some(words.urls, 2) }
    : { verbs: c.some(words.verbs, 3), apiGroups: c.some(words.groups, 2), resources: c.some(words.resources, 3), ...(c.below(3) === 0 ? { resourceNames: c.some(words.names, 2) } : {}) });
  const rules = (): Rule[] => Array.from({ length: c.below(8) }, rule);
  const subject = () => c.one([
    () => ({ kind: "User", name: c.one(words.users) }), () => ({ kind: "Group", name: c.one(words.userGroups) }),
    () => ({ kind: "ServiceAccount", name: c.one(["web", "x", "web:y"]), ...(c.below(2) ? { namespace: c.one(words.namespaces) } : {}) }), () => ({ kind: "Robot", name: c.one(words.users) }),
  ])();
  return {
    clusterRoles: new Map(words.roles.slice(0, 3).filter(() => c.below(6) > 0).map(name => [name, rules()])),
    roles: new Map(words.namespaces.slice(1).flatMap(namespace => words.roles.slice(0, 3).filter(() => c.below(3) > 0).map(name => [`${namespace}/${name}`, rules()] as const))),
    bindings: Array.from({ length: 1 + c.below(10) }, (_, i) => ({
      namespace: c.one(words.namespaces), name: `b${i}`, roleRef: { kind: c.one(["ClusterRole", "ClusterRole", "Role"]), name: c.one(words.roles) }, subjects: Array.from({ length: c.below(6) === 0 ? 0 : 1 + c.below(3) }, subject),
    })),
  };
}

function randomRequest(c: Chance): [User, RequestAttributes] {
  const user: User = { name: c.one(words.users), uid: "", groups: c.some(words.userGroups, 3), extra: {} };
  const verb = c.one(words.verbs);
  if (c.below(4) === 0) return [user, { verb, group: "", version: "", resource: "", subresource: "", namespace: "", name: "", path: c.one(words.paths), resourceRequest: false }];
  const [resource = "", subresource = ""] = c.one(words.resources).split("/");
  return [user, { verb, group: c.one(words.groups), version: "v1", resource, subresource, namespace: c.one(words.namespaces), name: c.one(words.names), path: "", resourceRequest: true }];
}

/** A request that some binding nearly allows, with now and then one thing changed: random ones alone are nearly always refused. */
function nearRequest(c: Chance, policy: Policy): [User, RequestAttributes] {
  const [user, request] = randomRequest(c);
  const binding = c.one(policy.bindings);
  const subject = binding.subjects.length === 0 ? undefined : c.one(binding.subjects);
  const rules = (binding.roleRef.kind === "ClusterRole" ? policy.clusterRoles.get(binding.roleRef.name) : policy.roles.get(`${binding.namespace}/${binding.roleRef.name}`)) ?? [];
  const rule = rules.length === 0 ? undefined : c.one(rules);
  const keep = <T>(value: T | undefined, other: T): T => (value === undefined || c.below(12) === 0 ? other : value);
  const names: { [kind: string]: Partial<User> } = {
    User: { name: subject?.name }, Group: { groups: [subject?.name ?? "dev"] }, ServiceAccount: { name: `system:serviceaccount:${subject?.namespace || binding.namespace}:${subject?.name}` },
  };
  const who = { ...user, ...keep(names[subject?.kind ?? ""], {}) } as User;
  const verb = keep(rule?.verbs[0] === "*" ? undefined : rule?.verbs[0], request.verb);
  const url = rule?.nonResourceURLs?.[0];
  if (url !== undefined) return [who, { ...request, verb, group: "", resource: "", subresource: "", namespace: "", name: "", resourceRequest: false, path: keep(url.replace(/\*+$/, c.one(["", "x", "/"])), c.one(words.paths)) }];
  const [resource = "", subresource = ""] = (rule?.resources?.[0] ?? c.one(words.resources)).split("/");
  return [who, {
    ...request, path: "", resourceRequest: true, verb, group: keep(rule?.apiGroups?.[0], request.group), resource: resource === "*" ? c.one(["pods", "widgets"]) : resource, subresource: keep(subresource, request.subresource),
    namespace: keep(binding.namespace === "" ? undefined : binding.namespace, request.namespace), name: keep(rule?.resourceNames?.[0], request.name),
  }];
}

/** RBAC as its documentation tells it: look at every binding, at every subject in it, at every rule of its role. */
function naive(policy: Policy, user: User, request: RequestAttributes): boolean {
  for (const binding of policy.bindings) {
    const inCluster = binding.namespace === "";
    if (!inCluster && !(request.resourceRequest && request.namespace === binding.namespace)) continue;
    let applies = false;
    for (const subject of binding.subjects) {
      if (subject.kind === "User" && subject.name === user.name) applies = true;
      if (subject.kind === "Group") for (const group of user.groups) if (group === subject.name) applies = true;
      if (subject.kind === "ServiceAccount") {
        let home = subject.namespace;
        if (home === undefined || home === "") home = binding.namespace;
        if (home !== "" && `system:serviceaccount:${home}:${subject.name}` === user.name) applies = true;
      }
    }
    if (!applies) continue;
    const rules = binding.roleRef.kind === "ClusterRole" ? policy.clusterRoles.get(binding.roleRef.name) : inCluster ? undefined : policy.roles.get(`${binding.namespace}/${binding.roleRef.name}`);
    for (const rule of rules ?? []) if (naiveRule(rule, request)) return true;
  }
  return false;
}

function naiveRule(rule: Rule, request: RequestAttributes): boolean {
  let verb = false;
  for (const word of rule.verbs) if (word === "*" || word === request.verb) verb = true;
  if (!verb) return false;
  if (!request.resourceRequest) {
    for (const url of rule.nonResourceURLs ?? []) {
      const pattern = new RegExp(`^${url.replace(/\*+$/, "").replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}${/\*$/.test(url) ? "[^]*" : ""}$`);
      if (pattern.test(request.path)) return true;
    }
    return false;
  }
  let group = false;
  for (const word of rule.apiGroups ?? []) if (word === "*" || word === request.group) group = true;
  if (!group) return false;
  let resource = false;
  for (const word of rule.resources ?? []) {
    if (word === "*") resource = true;
    if (request.subresource === "" && word === request.resource) resource = true;
    if (request.subresource !== "" && word === request.resource + "/" + request.subresource) resource = true;
    if (request.subresource !== "" && word === "*/" + request.subresource) resource = true;
  }
  if (!resource) return false;
  if (rule.resourceNames === undefined || rule.resourceNames.length === 0) return true;
  for (const name of rule.resourceNames) if (name === request.name) return true;
  return false;
}

test(`P23: the evaluator and a naive one agree on ${triples} random triples`, async () => {
  const c = chance(seed);
  const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: async () => {}, after: () => () => {} };
  const store = await RevisionedStore.open(new MemoryEngine(), { clock, log: silent, onFailure: error => { throw error; } });
  const rbac = new Rbac();
  const stop = rbac.follow(store);
  const prefix = "/registry/rbac.authorization.k8s.io/";
  let allowed = 0;
  for (let done = 0; done < triples; done += requestsPerPolicy) {
    const policy = randomPolicy(c);
    // The index is changed in place, from one policy to the next: what it forgets to forget shows.
    await Promise.all(store.list(prefix).entries.map(entry => store.delete(entry.key, entry.revision)));
    const put = (path: string, object: object) => store.put(prefix + path, JSON.stringify(object), 0);
    await Promise.all([
      ...[...policy.clusterRoles].map(([name, rules]) => put(`clusterroles/${name}`, { rules })), ...[...policy.roles].map(([path, rules]) => put(`roles/${path}`, { rules })),
      ...policy.bindings.map(({ namespace, name, roleRef, subjects }) => put(namespace === "" ? `clusterrolebindings/${name}` : `rolebindings/${namespace}/${name}`, { roleRef, subjects })),
    ]);
    for (let i = 0; i < requestsPerPolicy; i++) {
      const [user, request] = i % 4 === 0 ? randomRequest(c) : nearRequest(c, policy);
      const expected = naive(policy, user, request);
      if (expected) allowed++;
      if (rbac.authorize(user, request).allowed !== expected) assert.fail(`seed ${seed}, triple ${done + i}: expected ${expected} for ${JSON.stringify({ user, request, policy: { ...policy, clusterRoles: [...policy.clusterRoles], roles: [...policy.roles] } }, null, 1)}`);
    }
  }
  stop();
  await store.close();
  assert.ok(allowed > triples / 10 && allowed < triples * 0.9, `void: ${allowed} of ${triples} allowed`);
});

test("what is covered by held rules allows nothing that they do not", () => {
  const c = chance(seed + 1);
  let covered = 0;
  for (let i = 0; i < triples / 4; i++) {
    const { clusterRoles } = randomPolicy(c);
    const [held = [], wanted = []] = [...clusterRoles.values()];
    if (wanted.length === 0 || uncovered(held, wanted).length > 0) continue;
    covered++;
    for (let j = 0; j < 40; j++) {
      const [, request] = randomRequest(c);
      if (wanted.some(rule => naiveRule(rule, request))) assert.ok(held.some(rule => naiveRule(rule, request)), `seed ${seed}: ${JSON.stringify({ held, wanted, request })}`);
    }
  }
  assert.ok(covered > 10, `void: ${covered} covered`);
});

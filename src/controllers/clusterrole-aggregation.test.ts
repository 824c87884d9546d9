import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterRole } from "../kinds/rbac/clusterrole.ts";
import { planRules } from "./clusterrole-aggregation.ts";

const role = (name: string, labels: { [label: string]: string }, verbs: string[], selectors?: object[]): ClusterRole => ({
  apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name, labels }, rules: verbs.map(verb => ({ verbs: [verb], apiGroups: [""], resources: ["pods"] })),
  ...(selectors === undefined ? {} : { aggregationRule: { clusterRoleSelectors: selectors } }),
} as unknown as ClusterRole);
const verbs = (...args: Parameters<typeof planRules>): string => planRules(...args).map(rule => rule.verbs[0]).join(" ");

test("an aggregated role holds the rules of the labelled ones, by name, each once", () => {
  const view = role("view", { edit: "true" }, ["old"], [{ matchLabels: { view: "true" } }]);
  const all = [view, role("z", { view: "true" }, ["get", "list"]), role("a", { view: "true" }, ["watch", "get"]), role("other", { view: "false" }, ["delete"]), role("none", {}, ["create"])];
  assert.equal(verbs(view, all), "watch get list");
});

test("selectors count in their order; a role is never part of itself; no selector, no rules", () => {
  const both = role("both", { x: "1" }, ["old"], [{ matchLabels: { y: "1" } }, { matchExpressions: [{ key: "x", operator: "Exists" }] }]);
  assert.equal(verbs(both, [both, role("a", { x: "1" }, ["get"]), role("b", { y: "1" }, ["list"])]), "list get");
  assert.equal(verbs(role("empty", {}, ["old"], []), [both]), "");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment } from "../kinds/apps/deployment.ts";
import type { ReplicaSet } from "../kinds/apps/replicaset.ts";
import { annotations, bounds, currentAnnotations, currentReplicas, isScaling, nextRevision, planCleanup, planRolling, planScale, splitSets } from "./deployment-plan.ts";

// A Deployment is written replicas+surge-unavailable; a ReplicaSet name:replicas/available[of the maximum it was sized for][!desired]; the new one comes first.
const rolling = [
  // deployment  new and old sets           what is resized
  ["10+25%-25%", "n:0/0 a:10/10",           "n:3"],
  ["10+25%-25%", "n:3/0 a:10/10",           "a:8"],
  ["10+25%-25%", "n:3/0 a:8/8",             "n:5"],
  ["10+25%-25%", "n:5/5 a:8/8",             "a:3"],
  ["10+25%-25%", "n:10/10 a:3/3",           "a:0"],
  ["10+25%-25%", "n:10/10 a:0/0",           ""],
  ["10+25%-25%", "n:12/12 a:0/0",           "n:10"],
  ["4+1-0",      "n:0/0 a:4/4",             "n:1"],
  ["4+1-0",      "n:1/0 a:4/4",             ""],
  ["4+1-0",      "n:1/1 a:4/4",             "a:3"],
  ["4+0-1",      "n:0/0 a:4/4",             "a:3"],
  ["4+0-1",      "n:0/0 a:3/3",             "n:1"],
  ["4+0-0",      "n:0/0 a:4/4",             "a:3"],
  // What is not available goes first, and costs nothing.
  ["10+2-2",     "n:2/0 a:5/1 b:5/5",       "a:3"],
  ["10+0-5",     "n:0/0 a:5/2 b:5/5",       "a:0"],
  // A set that still reports pods it is losing does not make room for more.
  ["8+2-2",      "n:6/4 a:4/5",             "a:2"],
] as const;
for (const [deployment, sets, plan] of rolling)
  test(`rolling ${deployment} with [${sets}]`, () => {
    const [current, ...old] = sets.split(" ").map(set);
    assert.equal(planRolling(deploymentOf(deployment), current!, old).map(({ set, replicas }) => `${set.metadata.name}:${replicas}`).join(" "), plan);
  });

const scaling = [
  ["5+1-1",  "n:3/3",                    "n:5"],
  ["5+1-1",  "n:0/0 a:3/3",              "a:5"],
  ["5+1-1",  "n:5/5!5 a:2/2",            "a:0"],
  // In proportion to size, what rounding leaves to the biggest.
  ["20+0-0", "n:5/5of10 a:5/5of10",      "n:10 a:10"],
  ["11+0-0", "n:5/3of10 a:5/5of10",      "n:6 a:5"],
  ["5+0-0",  "n:6/6of10 a:4/4of10",      "n:3 a:2"],
  ["0+1-0",  "n:6/6of10 a:4/4of10",      "n:0 a:0"],
] as const;
for (const [deployment, sets, plan] of scaling)
  test(`scaling to ${deployment} with [${sets}]`, () => {
    const [current, ...old] = sets.split(" ").map(set);
    assert.equal(planScale(deploymentOf(deployment), current, old).map(({ set, replicas }) => `${set.metadata.name}:${replicas}`).sort().reverse().join(" "), plan.split(" ").sort().reverse().join(" "));
  });

test("surge is rounded up, unavailability down, and both can not be nothing", () => {
  assert.deepEqual([bounds(deploymentOf("10+25%-25%")), bounds(deploymentOf("4+0-0")), bounds(deploymentOf("2+0-50")), bounds(deploymentOf("0+1-1"))],
    [{ surge: 3, unavailable: 2 }, { surge: 0, unavailable: 1 }, { surge: 0, unavailable: 2 }, { surge: 1, unavailable: 0 }]);
});

test("a new ReplicaSet starts with what fits above the old ones; with Recreate with everything", () => {
  assert.equal(currentReplicas(deploymentOf("10+3-0"), 0, [set("a:10/10")]), 3);
  assert.equal(currentReplicas(deploymentOf("10+3-0"), 0, [set("a:14/14")]), 0);
  const recreate = { ...deploymentOf("10+0-0"), spec: { ...deploymentOf("10+0-0").spec, strategy: { type: "Recreate" } } } as Deployment;
  assert.equal(currentReplicas(recreate, 0, [set("a:10/10")]), 10);
});

test("the oldest set with the Deployment's template is the current one, its hash label aside", () => {
  const template = (image: string, labels: object) => ({ metadata: { labels }, spec: { containers: [{ name: "c", image }] } });
  const make = (name: string, image: string, day: number): ReplicaSet => ({ ...set(`${name}:1/1`), metadata: { ...set(`${name}:1/1`).metadata, creationTimestamp: `2030-01-0${day}T00:00:00Z` }, spec: { replicas: 1, template: template(image, { app: "web", "pod-template-hash": name }) } }) as unknown as ReplicaSet;
  const deployment = { ...deploymentOf("1+1-1"), spec: { ...deploymentOf("1+1-1").spec, template: template("v2", { app: "web" }) } } as unknown as Deployment;
  const { current, old } = splitSets(deployment, [make("late", "v2", 3), make("other", "v1", 1), make("early", "v2", 2)]);
  assert.deepEqual([current?.metadata.name, old.map(({ metadata }) => metadata.name)], ["early", ["other", "late"]]);
});

test("annotations: copied but for some, the revision rises, and a rollback remembers the revisions it had", () => {
  const deployment = { ...deploymentOf("3+1-0"), metadata: { annotations: { note: "x", [annotations.lastApplied]: "{}", [annotations.revision]: "7" } } } as unknown as Deployment;
  assert.deepEqual(currentAnnotations(deployment, undefined, 1n), { note: "x", [annotations.revision]: "1", [annotations.desired]: "3", [annotations.max]: "4" });
  const existing = { metadata: { annotations: { [annotations.revision]: "2", [annotations.history]: "1" } } } as unknown as ReplicaSet;
  assert.deepEqual(currentAnnotations(deployment, existing, 5n), { note: "x", [annotations.revision]: "5", [annotations.history]: "1,2" });
  assert.deepEqual(currentAnnotations(deployment, existing, 2n), { note: "x", [annotations.revision]: "2", [annotations.history]: "1" });
});

test("revisions are 64-bit numbers, kept to the last digit", () => {
  const huge = { ...set("a:0/0"), metadata: { name: "a", annotations: { [annotations.revision]: "3546343826724305833" } } } as unknown as ReplicaSet;
  assert.equal(nextRevision([huge, set("b:0/0")]), 3546343826724305834n);
});

test("a changed spec.replicas is told from the annotations of active sets", () => {
  assert.equal(isScaling(deploymentOf("3+1-1"), [set("a:3/3!3")]), false);
  assert.equal(isScaling(deploymentOf("4+1-1"), [set("a:3/3!3")]), true);
  assert.equal(isScaling(deploymentOf("4+1-1"), [set("a:0/0!3"), set("b:3/3")]), false);
});

test("history beyond the limit goes, lowest revision first, but never a set with pods", () => {
  const old = ["a", "b", "c", "d"].map((name, i) => ({ ...set(`${name}:${name === "b" ? 1 : 0}/0`), metadata: { ...set("x:0/0").metadata, name, annotations: { [annotations.revision]: String(4 - i) } } }) as ReplicaSet);
  const deployment = { ...deploymentOf("1+1-1"), spec: { ...deploymentOf("1+1-1").spec, revisionHistoryLimit: 1 } } as Deployment;
  assert.deepEqual(planCleanup(deployment, old).map(({ metadata }) => metadata.name), ["d", "c"]);
  assert.deepEqual(planCleanup(deploymentOf("1+1-1"), old), []);
});

function deploymentOf(text: string): Deployment {
  const [, replicas = "", surge = "", unavailable = ""] = /^(\d+)\+(\d+%?)-(\d+%?)$/.exec(text) ?? [];
  const value = (part: string): number | string => (part.endsWith("%") ? part : Number(part));
  return { metadata: { name: "web" }, spec: { replicas: Number(replicas), strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: value(surge), maxUnavailable: value(unavailable) } } }, status: {} } as unknown as Deployment;
}
function set(text: string): ReplicaSet {
  const [, name, replicas, available, max, desired] = /^(\w+):(\d+)\/(\d+)(?:of(\d+))?(?:!(\d+))?$/.exec(text) ?? [];
  return {
    metadata: { name, uid: name, generation: 1, creationTimestamp: "2030-01-01T00:00:00Z", annotations: { ...(max === undefined ? {} : { [annotations.max]: max }), ...(desired === undefined ? {} : { [annotations.desired]: desired }) } },
    spec: { replicas: Number(replicas) }, status: { replicas: Number(available), availableReplicas: Number(available), observedGeneration: 1 },
  } as unknown as ReplicaSet;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { humanDuration, selectorText, upToThree } from "./columns.ts";
import { summarizePod } from "./core/podcolumns.ts";
import { pullPolicyOf } from "./core/poddefaults.ts";
import { qosClassOf } from "./core/podqos.ts";

const s = 1000;
const m = 60 * s;
const h = 60 * m;
const d = 24 * h;
for (const [ms, text] of [[-2 * s, "<invalid>"], [-1 * s, "0s"], [0, "0s"], [119 * s, "119s"], [120 * s, "2m"], [125 * s, "2m5s"], [10 * m, "10m"], [179 * m, "179m"], [3 * h, "3h"], [3 * h + 5 * m, "3h5m"], [8 * h, "8h"], [47 * h, "47h"], [48 * h, "2d"], [2 * d + 3 * h, "2d3h"], [8 * d, "8d"], [729 * d, "729d"], [730 * d, "2y"], [3 * 365 * d + 20 * d, "3y20d"], [9 * 365 * d, "9y"]] as const)
  test(`${ms} ms are shown as ${text}`, () => assert.equal(humanDuration(ms), text));

test("a selector is shown as it would be typed, sorted by key", () =>
  assert.equal(selectorText({ matchLabels: { b: "c" }, matchExpressions: [{ key: "a", operator: "In", values: ["y", "x"] }, { key: "z", operator: "Exists" }, { key: "n", operator: "DoesNotExist" }] }), "a in (x,y),b=c,!n,z"));
test("a long list is cut", () => assert.deepEqual([upToThree(["a", "b"], 2), upToThree(["a", "b", "c", "d"], 4)], ["a,b", "a,b,c + 1 more..."]));

const container = (more: object): object => ({ name: "c", ready: false, restartCount: 0, state: {}, lastState: {}, image: "", imageID: "", ...more });
const pod = (status: object, more: { spec?: object; metadata?: object } = {}): any => ({ metadata: { name: "p", ...more.metadata }, spec: { containers: [{ name: "c" }], ...more.spec }, status });
for (const [what, given, expected] of [
  ["just made", pod({ phase: "Pending" }), ["0/1", "Pending", 0]],
  ["held back by a gate", pod({ phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] }), ["0/1", "SchedulingGated", 0]],
  ["being made", pod({ phase: "Pending", containerStatuses: [container({ state: { waiting: { reason: "ContainerCreating" } } })] }), ["0/1", "ContainerCreating", 0]],
  ["running", pod({ phase: "Running", containerStatuses: [container({ ready: true, state: { running: {} } })] }), ["1/1", "Running", 0]],
  ["crashing", pod({ phase: "Running", containerStatuses: [container({ restartCount: 3, state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: { terminated: { exitCode: 1, finishedAt: "2024-01-01T00:00:00Z" } } })] }), ["0/1", "CrashLoopBackOff", 3]],
  ["ended with a code", pod({ phase: "Failed", containerStatuses: [container({ state: { terminated: { exitCode: 3 } } })] }), ["0/1", "ExitCode:3", 0]],
  ["ended by a signal", pod({ phase: "Failed", containerStatuses: [container({ state: { terminated: { exitCode: 137, signal: 9 } } })] }), ["0/1", "Signal:9", 0]],
  ["done", pod({ phase: "Succeeded", containerStatuses: [container({ state: { terminated: { exitCode: 0, reason: "Completed" } } })] }), ["0/1", "Completed", 0]],
  ["half done and ready", pod({ phase: "Running", conditions: [{ type: "Ready", status: "True" }], containerStatuses: [container({ state: { terminated: { exitCode: 0, reason: "Completed" } } }), container({ name: "d", ready: true, state: { running: {} } })] }, { spec: { containers: [{ name: "c" }, { name: "d" }] } }), ["1/2", "Running", 0]],
  ["going", pod({ phase: "Running", containerStatuses: [container({ ready: true, state: { running: {} } })] }, { metadata: { deletionTimestamp: "2024-01-01T00:00:00Z" } }), ["1/1", "Terminating", 0]],
  ["gone with its node", pod({ phase: "Running", reason: "NodeLost" }, { metadata: { deletionTimestamp: "2024-01-01T00:00:00Z" } }), ["0/1", "Unknown", 0]],
  ["evicted", pod({ phase: "Failed", reason: "Evicted" }), ["0/1", "Evicted", 0]],
  ["in its second init container", pod({ phase: "Pending", initContainerStatuses: [container({ name: "a", state: { terminated: { exitCode: 0 } } }), container({ name: "b", state: { running: {} } })] }, { spec: { initContainers: [{ name: "a" }, { name: "b" }] } }), ["0/1", "Init:1/2", 0]],
  ["with a failing init container", pod({ phase: "Pending", initContainerStatuses: [container({ name: "a", restartCount: 2, state: { terminated: { exitCode: 1, reason: "Error" } } })] }, { spec: { initContainers: [{ name: "a" }] } }), ["0/1", "Init:Error", 2]],
  ["with a sidecar", pod({ phase: "Running", initContainerStatuses: [container({ name: "a", ready: true, started: true, state: { running: {} } })], containerStatuses: [container({ ready: true, state: { running: {} } })] }, { spec: { initContainers: [{ name: "a", restartPolicy: "Always" }] } }), ["2/2", "Running", 0]],
] as const) test(`a pod ${what} is ${expected.join(" ")}`, () => {
  const { ready, total, status, restarts } = summarizePod(given);
  assert.deepEqual([`${ready}/${total}`, status, restarts], expected);
});

for (const [image, policy] of [["nginx", "Always"], ["nginx:latest", "Always"], ["nginx:1.2", "IfNotPresent"], ["host:5000/nginx", "Always"], ["host:5000/nginx:1", "IfNotPresent"], ["nginx@sha256:abc", "IfNotPresent"], ["ko://a.dev/b", "IfNotPresent"], ["a//b", "IfNotPresent"], ["A/b", "Always"], ["a/B", "IfNotPresent"], ["a_b", "Always"], ["a.-b", "IfNotPresent"], ["[::1]:5/a", "Always"], ["f".repeat(64), "IfNotPresent"]] as const)
  test(`${image} is pulled ${policy}`, () => assert.equal(pullPolicyOf(image), policy));
for (const [what, resources, qos] of [["nothing", {}, "BestEffort"], ["requests", { requests: { cpu: "1" } }, "Burstable"], ["limits of cpu and memory", { limits: { cpu: "1", memory: "1Gi" } }, "Guaranteed"], ["lower requests", { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m", memory: "1Gi" } }, "Burstable"], ["requests of zero", { requests: { cpu: "0" } }, "BestEffort"]] as const)
  test(`with ${what} a pod is ${qos}`, () => assert.equal(qosClassOf({ containers: [{ name: "c", resources }] } as never), qos));

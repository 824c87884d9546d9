import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../base/api-error.ts";
import type { Json } from "../base/json.ts";
import { everything } from "../base/selector.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { limitReplicas, nothingYet, remember, type Recently } from "./autoscaler-limits.ts";
import type { PodMetrics } from "./autoscaler-metrics.ts";
import { averageReplicas, shareReplicas, utilizationReplicas, valueReplicas } from "./autoscaler-replicas.ts";
import { measure, UnusableMetric, type Target } from "./autoscaler-status.ts";

const now = Date.parse("2026-01-01T01:00:00Z");
const minutesAgo = (minutes: number): string => new Date(now - minutes * 60_000).toISOString();
const tolerances = { up: 0.1, down: 0.1 };

/** One letter a pod that requests 1 processor: `R` ready, `U` never ready, `N` young and unready, `P` pending, `F` failed, `D` being deleted; numbers are what each uses in thousandths, `-` unknown. */
function scene(text: string): { readonly pods: readonly Pod[]; readonly metrics: PodMetrics } {
  const parts = text.split(" ").map((part, i) => ({ letter: part[0]!, used: part.slice(1), name: `p${i}` }));
  const pods = parts.map(({ letter, name }) => ({
    metadata: { name, ...(letter === "D" ? { deletionTimestamp: minutesAgo(0) } : {}) }, spec: { containers: [{ name: "c", resources: { requests: { cpu: "1" } } }] },
    status: {
      phase: letter === "P" ? "Pending" : letter === "F" ? "Failed" : "Running", startTime: minutesAgo(letter === "N" ? 1 : 30),
      conditions: [{ type: "Ready", status: letter === "R" || letter === "D" ? "True" : "False", lastTransitionTime: minutesAgo(letter === "U" ? 30 : 1) }],
    },
  })) as unknown as readonly Pod[];
  return { pods, metrics: new Map(parts.filter(({ used }) => used !== "-" && used !== "").map(({ name, used }) => [name, { value: Number(used), timestampMs: now, windowMs: 15_000 }])) };
}

for (const [what, text, current, target, wanted] of [
  ["the ratio times the ready pods, rounded up", "R600 R600 R600", 3, 30, "6 60%"],
  ["within a tenth nothing changes", "R320 R320 R320", 3, 30, "3 32%"],
  ["fewer when there is less to do", "R100 R100 R100", 3, 50, "1 10%"],
  ["pods without a figure count as idle on the way up", "R600 R- R600", 3, 30, "4 60%"],
  ["pods without a figure count as busy on the way down", "R100 R- R-", 3, 90, "3 10%"],
  ["a pending pod counts as idle on the way up", "R900 P", 2, 50, "2 90%"],
  ["a pod that has never been ready does not count", "R900 U900", 2, 50, "2 90%"],
  ["a young pod that is not ready does not count", "R900 N900", 2, 30, "3 90%"],
  ["pods that have failed or go away are left out", "R900 F900 D900", 3, 30, "3 90%"],
] as const)
  test(`utilization: ${what}`, () => {
    const { pods, metrics } = scene(text);
    const { replicas, utilization } = utilizationReplicas(current, target, "cpu", "", pods, metrics, tolerances, now);
    assert.equal(`${replicas} ${utilization}%`, wanted);
  });

test("utilization: upstream's words where there is nothing to go by", () => {
  const said = (text: string, container = ""): string => {
    const { pods, metrics } = text === "" ? { pods: [], metrics: new Map() } : scene(text);
    try {
      return String(utilizationReplicas(1, 50, "cpu", container, pods, metrics, tolerances, now).replicas);
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(said(""), "no pods returned by selector while calculating replica count");
  assert.equal(said("P"), "did not receive metrics for targeted pods (pods might be unready)");
  assert.equal(said("R100", "other"), "container other not found in Pod p0");
  const { pods, metrics } = scene("R100");
  assert.throws(() => utilizationReplicas(1, 50, "memory", "", pods, metrics, tolerances, now), { message: "missing request for memory in container c of Pod p0" });
});

test("averages, values and shares", () => {
  const { pods, metrics } = scene("R600 R200");
  assert.deepEqual(averageReplicas(2, 100, "cpu", pods, metrics, tolerances, now), { replicas: 8, raw: 400 });
  assert.deepEqual(valueReplicas(2, 30_000, 10_000, pods, tolerances), { replicas: 6, raw: 30_000 });
  assert.deepEqual(valueReplicas(0, 30_000, 10_000, [], tolerances), { replicas: 3, raw: 30_000 });
  assert.deepEqual(shareReplicas(2, 30_000, 10_000, tolerances), { replicas: 3, raw: 15_000 });
  assert.deepEqual(shareReplicas(3, 31_000, 10_000, tolerances), { replicas: 3, raw: 10_334 });
  assert.equal(averageReplicas(2, 100, "cpu", pods, metrics, { up: 4, down: 0 }, now).replicas, 2, "a tolerance of one's own");
});

/** `up 4 pods/15 s` and its kind, as an autoscaler has them after defaulting. */
const rules = (policies: readonly string[], more: object = {}): object => ({ selectPolicy: "Max", ...more, policies: policies.map(text => { const [, value, type, seconds] = /^(\d+)(%| pods)\/(\d+)s$/.exec(text)!; return { type: type === "%" ? "Percent" : "Pods", value: Number(value), periodSeconds: Number(seconds) }; }) });
const standard = { scaleUp: rules(["4 pods/15s", "100%/15s"], { stabilizationWindowSeconds: 0 }), scaleDown: rules(["100%/15s"]) };
const spec = (behavior?: object): never => ({ maxReplicas: 20, ...(behavior === undefined ? {} : { behavior }) }) as never;
const said = (seconds: number, replicas: number): { readonly replicas: number; readonly atMs: number } => ({ replicas, atMs: now - seconds * 1000 });
const after = (...recommendations: readonly { readonly replicas: number; readonly atMs: number }[]): Recently => ({ ...nothingYet, recommendations });

for (const [what, behavior, recently, current, wanted, result] of [
  ["without a behavior: at most four, or twice as many", undefined, nothingYet, 1, 9, "4 ReadyForNewScale ScaleUpLimit=True"],
  ["without a behavior: never above the maximum", undefined, nothingYet, 15, 29, "20 ReadyForNewScale TooManyReplicas=True"],
  ["without a behavior: never below the minimum", undefined, nothingYet, 5, 1, "2 ReadyForNewScale TooFewReplicas=True"],
  ["without a behavior: not lower than what was asked for in the last five minutes", undefined, after(said(200, 7), said(400, 9)), 8, 3, "7 ScaleDownStabilized DesiredWithinRange=False"],
  ["the default rates", standard, nothingYet, 3, 15, "7 ReadyForNewScale ScaleUpLimit=True"],
  ["rates count what was done within their period", standard, remember(nothingYet, 3, 7, now - 5_000), 7, 15, "7 ReadyForNewScale ScaleUpLimit=True"],
  ["and no longer than that", standard, remember(nothingYet, 3, 7, now - 15_000), 7, 15, "14 ReadyForNewScale ScaleUpLimit=True"],
  ["the smallest policy, where that is chosen", { ...standard, scaleUp: rules(["2 pods/60s", "100%/60s"], { selectPolicy: "Min" }) }, nothingYet, 6, 15, "8 ReadyForNewScale ScaleUpLimit=True"],
  ["no way down, where that is disabled", { ...standard, scaleDown: rules(["100%/15s"], { selectPolicy: "Disabled", stabilizationWindowSeconds: 0 }) }, nothingYet, 6, 2, "6 ReadyForNewScale ScaleDownLimit=True"],
  ["two at a time down", { ...standard, scaleDown: rules(["2 pods/60s"], { stabilizationWindowSeconds: 0 }) }, nothingYet, 6, 2, "4 ReadyForNewScale ScaleDownLimit=True"],
  ["a window down of its own", { ...standard, scaleDown: rules(["100%/15s"], { stabilizationWindowSeconds: 60 }) }, after(said(50, 5), said(70, 9)), 6, 2, "5 ScaleDownStabilized DesiredWithinRange=False"],
  ["a window up: the lowest of it", { ...standard, scaleUp: rules(["100%/15s"], { stabilizationWindowSeconds: 60 }) }, after(said(50, 7)), 6, 10, "7 ScaleUpStabilized DesiredWithinRange=False"],
  ["a window up may hold it where it is", { ...standard, scaleUp: rules(["100%/15s"], { stabilizationWindowSeconds: 60 }) }, after(said(50, 2)), 6, 10, "6 ScaleUpStabilized DesiredWithinRange=False"],
] as const)
  test(`limits: ${what}`, () => {
    const { desired, conditions: [able, limited] } = limitReplicas(spec(behavior), 2, current, wanted, recently, now);
    assert.equal(`${desired} ${able?.reason} ${limited?.reason}=${limited?.status}`, result);
  });

const target = (read: (path: string) => Promise<Json>): Target => ({ namespace: "default", selector: everything, ...scene("R500 R500"), specReplicas: 2, statusReplicas: 2, tolerances, now, read, resourceOf: () => "deployments.apps" });
const missing = async (): Promise<Json> => { throw new ApiError("", "the server answered 404: 404 page not found", undefined, 404); };
const cpu = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } } as const;

test("metrics: what cannot be had is told in upstream's words", async () => {
  const why = async (spec: object, read: (path: string) => Promise<Json>): Promise<string> => measure(spec as never, target(read)).then(() => "", (error: unknown) => (error instanceof UnusableMetric ? `${error.reason}: ${error.message}` : String(error)));
  assert.equal(await why(cpu, missing), "FailedGetResourceMetric: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)");
  assert.equal(await why(cpu, async () => ({ items: [] })), "FailedGetResourceMetric: failed to get cpu resource metric value: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API");
  assert.equal(await why({ type: "Pods", pods: { metric: { name: "qps" }, target: { type: "AverageValue", averageValue: "10" } } }, async () => ({ groups: [] })),
    "FailedGetPodsMetric: failed to get pods metric value: unable to get metric qps: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered");
  assert.equal(await why({ type: "External", external: { metric: { name: "queue", selector: { matchLabels: { a: "b" } } }, target: { type: "Value", value: "10" } } }, missing),
    "FailedGetExternalMetric: failed to get queue external metric value: failed to get queue external metric: unable to get external metric default/queue/&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}: unable to fetch metrics from external metrics API: the server could not find the requested resource (get queue.external.metrics.k8s.io)");
});

test("metrics: all three APIs are read as their servers serve them", async () => {
  const asked: string[] = [];
  const metric = (path: string): Json => {
    asked.push(path);
    if (path === "/apis") return { groups: [{ name: "custom.metrics.k8s.io", preferredVersion: { groupVersion: "custom.metrics.k8s.io/v1beta2" }, versions: [] }] };
    if (path.includes("/pods?")) return { items: ["p0", "p1"].map(name => ({ metadata: { name }, timestamp: new Date(now).toISOString(), window: "15s", containers: [{ name: "c", usage: { cpu: "750m", memory: "1Ki" } }] })) };
    if (path.includes("/pods/")) return { items: ["p0", "p1"].map(name => ({ describedObject: { kind: "Pod", name }, timestamp: new Date(now).toISOString(), value: "20" })) };
    return { items: [{ value: "40", timestamp: new Date(now).toISOString() }] };
  };
  const got = async (spec: object): Promise<unknown> => measure(spec as never, target(async path => metric(path)));
  assert.deepEqual(await got(cpu), { replicas: 3, name: "cpu resource utilization (percentage of request)", status: { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 75, averageValue: "750m" } } } });
  assert.deepEqual(await got({ type: "ContainerResource", containerResource: { name: "memory", container: "c", target: { type: "AverageValue", averageValue: "512" } } }), { replicas: 4, name: "memory resource", status: { type: "ContainerResource", containerResource: { name: "memory", container: "c", current: { averageValue: "1Ki" } } } });
  assert.deepEqual(await got({ type: "Pods", pods: { metric: { name: "qps" }, target: { type: "AverageValue", averageValue: "10" } } }), { replicas: 4, name: "pods metric qps", status: { type: "Pods", pods: { metric: { name: "qps" }, current: { averageValue: "20" } } } });
  const object = { metric: { name: "hits" }, describedObject: { apiVersion: "apps/v1", kind: "Deployment", name: "web" } };
  assert.deepEqual(await got({ type: "Object", object: { ...object, target: { type: "Value", value: "20" } } }), { replicas: 4, name: "Deployment metric hits", status: { type: "Object", object: { ...object, current: { value: "40" } } } });
  assert.deepEqual(await got({ type: "External", external: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "10" } } }), { replicas: 4, name: "external metric queue(nil)", status: { type: "External", external: { metric: { name: "queue" }, current: { averageValue: "20" } } } });
  assert.deepEqual(asked.filter(path => path !== "/apis"), [
    "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods?labelSelector=", "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods?labelSelector=", "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/%2A/qps?",
    "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/deployments.apps/web/hits?", "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue?",
  ]);
});

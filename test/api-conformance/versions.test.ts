/** Two versions of one kind show the same object: what is written through one is whole when it is read through the other, and written back. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { World, type Any } from "./world.ts";

let world: World;
before(async () => { world = await World.start(); });
after(() => world.stop());

const specOf = ({ spec }: Any): Any => spec;
const metrics: readonly Any[] = [
  { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 55 } } },
  { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } } },
  { type: "Pods", pods: { metric: { name: "queued", selector: { matchLabels: { a: "b" } } }, target: { type: "AverageValue", averageValue: "10" } } },
  { type: "Object", object: { describedObject: { apiVersion: "networking.k8s.io/v1", kind: "Ingress", name: "front" }, metric: { name: "requests" }, target: { type: "Value", value: "2k" } } },
  { type: "External", external: { metric: { name: "depth" }, target: { type: "Value", value: "30" } } },
  { type: "ContainerResource", containerResource: { name: "cpu", container: "app", target: { type: "Utilization", averageUtilization: 70 } } },
];

test("an autoscaler of v2 survives a reading and writing through v1", async () => {
  const namespace = await world.namespace("hpa");
  const at = (version: string): string => `/apis/autoscaling/${version}/namespaces/${namespace}/horizontalpodautoscalers`;
  const made = await world.create(at("v2"), { metadata: { name: "web" }, spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, minReplicas: 2, maxReplicas: 9, metrics,
    behavior: { scaleDown: { stabilizationWindowSeconds: 60, selectPolicy: "Min", policies: [{ type: "Percent", value: 10, periodSeconds: 60 }] }, scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: "Max", policies: [{ type: "Pods", value: 4, periodSeconds: 15 }] } },
  } });
  const old = await world.get(`${at("v1")}/web`);
  assert.deepEqual([old.spec.targetCPUUtilizationPercentage, old.spec.minReplicas, old.spec.maxReplicas], [55, 2, 9]);
  const annotation = (name: string): string => old.metadata.annotations[`autoscaling.alpha.kubernetes.io/${name}`];
  assert.deepEqual(JSON.parse(annotation("metrics")).slice(0, 3), [
    { type: "Resource", resource: { name: "memory", targetAverageValue: "1Gi" } }, { type: "Pods", pods: { metricName: "queued", targetAverageValue: "10", selector: { matchLabels: { a: "b" } } } },
    { type: "Object", object: { target: { kind: "Ingress", name: "front", apiVersion: "networking.k8s.io/v1" }, metricName: "requests", targetValue: "2k" } },
  ]);
  assert.ok(annotation("behavior").startsWith('{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}],"Tolerance":null},'), annotation("behavior"));
  await world.update(`${at("v1")}/web`, { ...old, spec: { ...old.spec, maxReplicas: 12 } });
  // Quirk: what the other version has a field for comes last.
  assert.deepEqual(specOf(await world.get(`${at("v2")}/web`)), { ...specOf(made), metrics: [...metrics.slice(1), metrics[0]], maxReplicas: 12 });
  const shown = await world.get(`${at("v2")}/web`);
  assert.deepEqual(Object.keys(shown.metadata.annotations ?? {}), [], "the other version's annotations are not this one's");
});

test("an autoscaler made through v1 is whole in v2", async () => {
  const namespace = await world.namespace("hpa");
  const at = (version: string): string => `/apis/autoscaling/${version}/namespaces/${namespace}/horizontalpodautoscalers`;
  await world.create(at("v1"), { metadata: { name: "web", annotations: { mine: "kept" } }, spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, maxReplicas: 3, targetCPUUtilizationPercentage: 80 } });
  const { spec, metadata } = await world.get(`${at("v2")}/web`);
  // An annotation that is no list of metrics is passed over.
  await world.update(`${at("v1")}/web`, { ...(await world.get(`${at("v1")}/web`)), metadata: { name: "web", annotations: { mine: "kept", "autoscaling.alpha.kubernetes.io/metrics": '[{"type":"Resource","resource":{"name":5}}]' } } });
  assert.deepEqual([spec.metrics, spec.minReplicas, metadata.annotations], [[{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } }], 1, { mine: "kept" }]);
});

test("an event of either group is whole in the other", async () => {
  const namespace = await world.namespace("events");
  const [core, modern] = [`/api/v1/namespaces/${namespace}/events`, `/apis/events.k8s.io/v1/namespaces/${namespace}/events`];
  const made = await world.create(modern, { metadata: { name: "new" }, eventTime: "2026-01-01T00:00:00.123456Z", reportingController: "c", reportingInstance: "i", action: "Pull", reason: "Pulled", regarding: { kind: "Pod", namespace, name: "p", uid: "u" }, related: { kind: "Node", name: "n" }, note: "it is here", type: "Normal", series: { count: 3, lastObservedTime: "2026-01-01T00:00:09.654321Z" } });
  const old = await world.get(`${core}/new`);
  assert.deepEqual([old.message, old.involvedObject, old.related, old.reportingComponent, old.reportingInstance, old.action, old.eventTime, old.series], ["it is here", made.regarding, made.related, "c", "i", "Pull", made.eventTime, made.series]);
  const { metadata: _, ...rest } = await world.get(`${modern}/new`);
  const { metadata: __, ...first } = made;
  assert.deepEqual(rest, first);
  const written = await world.create(core, { metadata: { name: "old" }, involvedObject: { kind: "Pod", namespace, name: "p" }, message: "m", reason: "R", type: "Warning", count: 7, firstTimestamp: "2026-01-01T00:00:00Z", lastTimestamp: "2026-01-02T00:00:00Z", source: { component: "kubelet", host: "n" } });
  const seen = await world.get(`${modern}/old`);
  assert.deepEqual([seen.note, seen.regarding, seen.deprecatedCount, seen.deprecatedFirstTimestamp, seen.deprecatedLastTimestamp, seen.deprecatedSource], ["m", written.involvedObject, 7, written.firstTimestamp, written.lastTimestamp, written.source]);
  assert.deepEqual([written.reportingComponent, written.reportingInstance, "reportingController" in seen, "reportingInstance" in seen], ["", "", false, false]);
});

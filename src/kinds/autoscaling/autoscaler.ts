/** Defaults, rules, columns and the old version of autoscalers (kubernetes pkg/apis/autoscaling). */
import { isObject, type Json } from "../../base/json.ts";
import { decode, DecodeError } from "../../schema/decode.ts";
import { goValue } from "../../schema/go-value.ts";
import { goEscaped } from "../../schema/problem.ts";
import type { Node } from "../../schema/t.ts";
import type { MetricSpec, MetricStatus } from "./horizontalpodautoscaler.ts";
import { fromV1Metrics, toV1Metrics } from "./v1-metrics.ts";

export function defaultAutoscaler(spec: any): void {
  if ((spec.metrics ?? []).length === 0) spec.metrics = [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } }];
  if (spec.behavior === undefined) return;
  const up = { stabilizationWindowSeconds: 0, selectPolicy: "Max", policies: [{ type: "Pods", value: 4, periodSeconds: 15 }, { type: "Percent", value: 100, periodSeconds: 15 }] };
  spec.behavior = { scaleUp: { ...up, ...spec.behavior.scaleUp }, scaleDown: { selectPolicy: "Max", policies: [{ type: "Percent", value: 100, periodSeconds: 15 }], ...spec.behavior.scaleDown } };
}

const sourceNames: { readonly [type: string]: "containerResource" | "external" | "object" | "pods" | "resource" } = { ContainerResource: "containerResource", External: "external", Object: "object", Pods: "pods", Resource: "resource" };
const sourceOf = (metric: MetricSpec): { readonly target: { readonly type: string; readonly averageUtilization?: number | undefined; readonly averageValue?: string | undefined; readonly value?: string | undefined } } | undefined => {
  const name = sourceNames[metric.type];
  return name === undefined ? undefined : metric[name];
};

/** `cpu: 10%/80%`: what is measured and what is aimed at; two metrics at most. */
export function metricsText(metrics: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (metrics.length === 0) return "<none>";
  const texts = metrics.map((metric, i) => {
    const name = sourceNames[metric.type];
    const target = sourceOf(metric)?.target;
    if (name === undefined || target === undefined) return "<unknown type>";
    const current = statuses[i]?.[name]?.current;
    const average = target.averageValue !== undefined;
    const [now, aim] = average ? [current?.averageValue, target.averageValue!] : target.averageUtilization !== undefined || name === "resource" || name === "containerResource"
      ? [current?.averageUtilization === undefined ? undefined : `${current.averageUtilization}%`, target.averageUtilization === undefined ? "<auto>" : `${target.averageUtilization}%`] : [current?.value, target.value ?? "0"];
    const label = metric.resource ? `${metric.resource.name}: ` : metric.containerResource ? `${metric.containerResource.name}: ` : "";
    return `${label}${now ?? "<unknown>"}/${aim}${average && (name === "external" || name === "object") ? " (avg)" : ""}`;
  });
  return texts.length > 2 ? `${texts.slice(0, 2).join(", ")} + ${texts.length - 2} more...` : texts.join(", ");
}

const annotations = { metrics: "autoscaling.alpha.kubernetes.io/metrics", conditions: "autoscaling.alpha.kubernetes.io/conditions", behavior: "autoscaling.alpha.kubernetes.io/behavior", current: "autoscaling.alpha.kubernetes.io/current-metrics" } as const;
const isCpu = (metric: MetricSpec): boolean => metric.type === "Resource" && metric.resource?.name === "cpu" && metric.resource.target.averageUtilization !== undefined;

/** autoscaling/v1 knows one metric; the rest travels in annotations, as upstream's conversion has it. */
export function toV1(behaviorNode: Node, object: any): Json {
  const { metrics = [], behavior, ...spec } = object.spec;
  const { currentMetrics = [], conditions, ...status } = object.status;
  const cpu = (metrics as MetricSpec[]).find(isCpu);
  const now = (currentMetrics as MetricStatus[]).find(({ resource }) => resource?.name === "cpu")?.resource?.current.averageUtilization;
  const others = (metrics as MetricSpec[]).filter(metric => !isCpu(metric));
  const text = (value: unknown): string => goEscaped(JSON.stringify(value));
  const extra = { ...(others.length > 0 ? { [annotations.metrics]: text(toV1Metrics(others, "target")) } : {}), ...(behavior === undefined ? {} : { [annotations.behavior]: text(goValue(behaviorNode, behavior)) }), ...((conditions ?? []).length > 0 ? { [annotations.conditions]: text(conditions) } : {}), ...(currentMetrics.length > 0 ? { [annotations.current]: text(toV1Metrics(currentMetrics, "current")) } : {}) };
  return {
    ...object, metadata: Object.keys(extra).length === 0 ? object.metadata : { ...object.metadata, annotations: { ...object.metadata.annotations, ...extra } },
    spec: { ...spec, ...(cpu === undefined ? {} : { targetCPUUtilizationPercentage: cpu.resource!.target.averageUtilization! }) },
    status: { currentReplicas: 0, ...status, ...(now === undefined ? {} : { currentCPUUtilizationPercentage: now }) },
  };
}
/** A value of an internal type, whose fields have Go's names. */
const unmarshalled = (value: Json | undefined): Json | undefined =>
  Array.isArray(value) ? value.map(each => unmarshalled(each as Json)!) : isObject(value ?? null) ? Object.fromEntries(Object.entries(value!).filter(([, each]) => each !== null).map(([name, each]) => [name.slice(0, 1).toLowerCase() + name.slice(1), unmarshalled(each as Json)!])) : value;

/** `partOf`: what a field of the spec or status is. */
export function fromV1(partOf: (part: "spec" | "status", field: string) => Node, object: any): Json {
  const { targetCPUUtilizationPercentage: percentage, ...spec } = object.spec;
  const { currentCPUUtilizationPercentage: now, ...status } = object.status;
  const given: { readonly [key: string]: string } = object.metadata.annotations ?? {};
  const kept = (key: string): Json | undefined => {
    if (!Object.hasOwn(given, key)) return undefined;
    try {
      return JSON.parse(given[key]!) as Json;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  };
  const cpu = percentage === undefined ? [] : [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: percentage } } }];
  // One that is none is passed over.
  const typed = (node: Node, value: Json | undefined): Json | undefined => {
    try {
      return value === undefined ? undefined : decode(node, value).object;
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  };
  const listed = (node: Node, key: string, part: "target" | "current"): readonly Json[] | undefined => { const value = kept(key); return Array.isArray(value) && value.every(each => isObject(each as Json)) ? typed(node, fromV1Metrics(value, part) as Json[]) as Json[] : undefined; };
  const behavior = typed(partOf("spec", "behavior"), unmarshalled(kept(annotations.behavior))), conditions = typed(partOf("status", "conditions"), kept(annotations.conditions));
  const metrics = [...(listed(partOf("spec", "metrics"), annotations.metrics, "target") ?? []), ...cpu];
  const rest = Object.fromEntries(Object.entries(given).filter(([key]) => !Object.values<string>(annotations).includes(key)));
  const { annotations: _, ...metadata } = object.metadata;
  const current = listed(partOf("status", "currentMetrics"), annotations.current, "current") ?? (now === undefined ? [] : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: now } } }]);
  return {
    ...object, metadata: { ...metadata, ...(Object.keys(rest).length === 0 ? {} : { annotations: rest }) },
    spec: { ...spec, ...(metrics.length === 0 ? {} : { metrics }), ...(behavior === undefined ? {} : { behavior }) },
    status: { ...status, currentMetrics: current, ...(conditions === undefined ? {} : { conditions }) },
  };
}

/** One metric of an autoscaler: what it proposes, what its status shows, and the words for both (pkg/controller/podautoscaler/horizontal.go, computeStatusFor…). */
import { formatQuantity, quantityMilli, quantityOfMilli } from "../base/quantity.ts";
import { selectorOf, type LabelSelector, type Selector } from "../base/selector.ts";
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus } from "../kinds/autoscaling/horizontalpodautoscaler.ts";
import type { MetricTarget } from "../kinds/autoscaling/metrics.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { externalMetric, MetricsError, objectMetric, podsMetric, resourceMetric, type Read } from "./autoscaler-metrics.ts";
import { averageReplicas, shareReplicas, utilizationReplicas, valueReplicas, type Proposal, type Tolerances } from "./autoscaler-replicas.ts";

export type Target = {
  readonly namespace: string;
  readonly selector: Selector;
  readonly pods: readonly Pod[];
  /** As its Scale's spec and status say. */
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly tolerances: Tolerances;
  readonly now: number;
  readonly read: Read;
  /** `deployments.apps` for a kind, whatever serves it. */
  readonly resourceOf: (apiVersion: string, kind: string) => string | undefined;
};
export type Measured = { readonly replicas: number; readonly name: string; readonly status: MetricStatus };
/** Why a metric could not be used: the condition's reason, the event's text, and the longer text of the whole. */
export class UnusableMetric extends Error {
  override name = "UnusableMetric";
  readonly reason: string;
  readonly detail: string;
  constructor(reason: string, detail: string, message: string) {
    super(message);
    this.reason = reason;
    this.detail = detail;
  }
}

export const toleranceDefault = 0.1;
export function tolerancesOf({ behavior }: HorizontalPodAutoscaler["spec"]): Tolerances {
  const of = (given: string | undefined): number => (given === undefined ? toleranceDefault : quantityMilli(given) / 1000);
  return { up: of(behavior?.scaleUp?.tolerance), down: of(behavior?.scaleDown?.tolerance) };
}

export async function measure(spec: MetricSpec, target: Target): Promise<Measured> {
  switch (spec.type) {
    case "Resource": {
      const { name } = spec.resource!;
      const { replicas, text, current } = await unlessUnusable("FailedGetResourceMetric", `failed to get ${name} resource metric value`, () => resource(spec.resource!.target, name, "", target));
      return { replicas, name: text, status: { type: spec.type, resource: { name, current } } };
    }
    case "ContainerResource": {
      const { name, container } = spec.containerResource!;
      const { replicas, text, current } = await unlessUnusable("FailedGetContainerResourceMetric", `failed to get ${container} container metric value`, () => resource(spec.containerResource!.target, name, container, target));
      return { replicas, name: text, status: { type: spec.type, containerResource: { name, container, current } } };
    }
    case "Pods": {
      const { metric, target: aim } = spec.pods!;
      const { replicas, raw } = await unlessUnusable("FailedGetPodsMetric", "failed to get pods metric value", async () => {
        const metrics = await prefixed(`unable to get metric ${metric.name}`, () => podsMetric(target.read, target.namespace, target.selector, metric.name, selecting(metric.selector)));
        return averageReplicas(target.specReplicas, quantityMilli(aim.averageValue!), "", target.pods, metrics, target.tolerances, target.now);
      });
      return { replicas, name: `pods metric ${metric.name}`, status: { type: spec.type, pods: { metric, current: { averageValue: amount(raw) } } } };
    }
    case "Object": return objectMetricOf(spec, target);
    case "External": return externalMetricOf(spec, target);
    default: throw new UnusableMetric("InvalidMetricSourceType", `unknown metric source type "${spec.type}"`, `unknown metric source type "${spec.type}"`);
  }
}

type Shown = { readonly replicas: number; readonly text: string; readonly current: { readonly averageValue: string; readonly averageUtilization?: number } };
async function resource(aim: MetricTarget, name: string, container: string, target: Target): Promise<Shown> {
  const { specReplicas, pods, tolerances, now } = target;
  const format = name === "memory" ? "BinarySI" : "DecimalSI";
  const average = aim.averageValue;
  const metrics = () => prefixed(`unable to get metrics for resource ${name}`, () => resourceMetric(target.read, target.namespace, target.selector, name, container));
  if (average !== undefined) {
    const { replicas, raw } = await prefixed(`failed to get ${name} usage`, async () => averageReplicas(specReplicas, quantityMilli(average), name, pods, await metrics(), tolerances, now));
    return { replicas, text: `${name} resource`, current: { averageValue: amount(raw, format) } };
  }
  const percent = aim.averageUtilization;
  if (percent === undefined) throw new MetricsError("invalid resource metric source: neither an average utilization target nor an average value (usage) target was set");
  const { replicas, raw, utilization = 0 } = await prefixed(`failed to get ${name} utilization`, async () => utilizationReplicas(specReplicas, percent, name, container, pods, await metrics(), tolerances, now));
  return { replicas, text: `${name}${container === "" ? "" : " container"} resource utilization (percentage of request)`, current: { averageUtilization: utilization, averageValue: amount(raw, format) } };
}

async function objectMetricOf(spec: MetricSpec, target: Target): Promise<Measured> {
  const { metric, describedObject, target: aim } = spec.object!;
  const { namespace, specReplicas, statusReplicas, pods, tolerances } = target;
  const usage = (): Promise<number> => prefixed(`unable to get metric ${metric.name}`, () => {
    const resource = target.resourceOf(describedObject.apiVersion ?? "", describedObject.kind);
    if (resource === undefined) throw new MetricsError(`unable to fetch metrics from custom metrics API: unable to map kind ${describedObject.kind} to resource: no matches for kind "${describedObject.kind}"`);
    return objectMetric(target.read, namespace, { kind: describedObject.kind, resource, name: describedObject.name }, metric.name, selecting(metric.selector));
  }, ` on ${describedObject.kind} ${namespace}/${describedObject.name}`);
  return unlessUnusable("FailedGetObjectMetric", "failed to get object metric value", async () => {
    const shown = (current: object): MetricStatus => ({ type: spec.type, object: { metric, describedObject, current } });
    if (aim.type === "Value" && aim.value !== undefined) {
      const { replicas, raw } = valueReplicas(specReplicas, await usage(), quantityMilli(aim.value), pods, tolerances);
      return { replicas, name: `${describedObject.kind} metric ${metric.name}`, status: shown({ value: amount(raw) }) };
    }
    if (aim.type !== "AverageValue" || aim.averageValue === undefined) throw new MetricsError("invalid object metric source: neither a value target nor an average value target was set");
    const { replicas, raw } = shareReplicas(statusReplicas, await usage(), quantityMilli(aim.averageValue), tolerances);
    return { replicas, name: `external metric ${metric.name}(${goSelector(metric.selector)})`, status: shown({ averageValue: amount(raw) }) };
  });
}

async function externalMetricOf(spec: MetricSpec, target: Target): Promise<Measured> {
  const { metric, target: aim } = spec.external!;
  const { namespace, specReplicas, statusReplicas, pods, tolerances } = target;
  return unlessUnusable("FailedGetExternalMetric", `failed to get ${metric.name} external metric value`, () => prefixed(`failed to get ${metric.name} external metric`, async (): Promise<Measured> => {
    const values = await prefixed(`unable to get external metric ${namespace}/${metric.name}/${goSelector(metric.selector)}`, () => externalMetric(target.read, namespace, metric.name, selecting(metric.selector)));
    const usage = values.reduce((sum, value) => sum + value, 0);
    const shown = (current: object): MetricStatus => ({ type: spec.type, external: { metric, current } });
    const named = (proposal: Proposal): Omit<Measured, "status"> => ({ replicas: proposal.replicas, name: `external metric ${metric.name}(${goSelector(metric.selector)})` });
    if (aim.averageValue !== undefined) {
      const proposal = shareReplicas(statusReplicas, usage, quantityMilli(aim.averageValue), tolerances);
      return { ...named(proposal), status: shown({ averageValue: amount(proposal.raw) }) };
    }
    if (aim.value === undefined) throw new MetricsError("invalid external metric source: neither a value target nor an average value target was set");
    const proposal = valueReplicas(specReplicas, usage, quantityMilli(aim.value), pods, tolerances);
    return { ...named(proposal), status: shown({ value: amount(proposal.raw) }) };
  }));
}

async function unlessUnusable<T>(reason: string, what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof MetricsError) throw new UnusableMetric(reason, error.message, `${what}: ${error.message}`);
    throw error;
  }
}
async function prefixed<T>(what: string, run: () => Promise<T> | T, after = ""): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof MetricsError) throw new MetricsError(`${what}: ${error.message}${after}`);
    throw error;
  }
}

/** No selector selects everything here. */
const selecting = (selector: LabelSelector | undefined): Selector => selectorOf(selector ?? {});
const amount = (milli: number, format: "BinarySI" | "DecimalSI" = "DecimalSI"): string => formatQuantity(quantityOfMilli(milli, format));

/** `&LabelSelector{MatchLabels:map[string]string{queue: mail,},MatchExpressions:[]LabelSelectorRequirement{},}`, as Go's generated String has it. */
function goSelector(selector: LabelSelector | undefined): string {
  if (selector === undefined) return "nil";
  const labels = Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}: ${value},`).join("");
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${(values ?? []).join(" ")}],},`).join("");
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`;
}

/** What an autoscaler measures, read from the three metrics APIs like every client (pkg/controller/podautoscaler/metrics, k8s.io/metrics/pkg/client). */
import { ApiError } from "../base/api-error.ts";
import { parseDuration } from "../base/duration.ts";
import { getOwn, isObject, type Json, type JsonObject } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import { quantityMilli } from "../base/quantity.ts";
import type { Selector } from "../base/selector.ts";
import { msOf } from "../base/time.ts";

/** Value in thousandths. */
export type PodMetric = { readonly value: number; readonly timestampMs: number; readonly windowMs: number };
export type PodMetrics = ReadonlyMap<string, PodMetric>;
/** `GET` of any path of the API. */
export type Read = (target: string) => Promise<Json>;

/** A metric could not be had; the message is upstream's. */
export class MetricsError extends Error {
  override name = "MetricsError";
}

const windowMsDefault = 60_000;
const customVersions = ["custom.metrics.k8s.io/v1beta2", "custom.metrics.k8s.io/v1beta1"];

/** Of each pod that `selector` matches, or of one container of each; pods without a figure are left out. */
export async function resourceMetric(read: Read, namespace: string, selector: Selector, resource: string, container: string): Promise<PodMetrics> {
  const target = `/apis/metrics.k8s.io/v1beta1/namespaces/${segment(namespace)}/pods?labelSelector=${segment(String(selector))}`;
  const items = await itemsOf(read, target, "pods.metrics.k8s.io", "resource metrics API");
  const found = new Map<string, PodMetric>();
  for (const item of items) {
    const containers = list(item["containers"]).filter(each => container === "" || each["name"] === container);
    const amounts = containers.map(each => (isObject(each["usage"]) ? getOwn(each["usage"], resource) : undefined));
    if (amounts.length === 0 || amounts.some(amount => amount === undefined)) continue;
    const value = amounts.reduce((sum: number, amount) => sum + quantityMilli(String(amount)), 0);
    const window = parseDuration(String(item["window"] ?? ""));
    found.set(nameOf(item["metadata"]), { value, timestampMs: msOf(String(item["timestamp"])), windowMs: window === undefined ? 0 : Number(window / 1_000_000n) });
  }
  return found;
}

/** A metric that each pod has. */
export async function podsMetric(read: Read, namespace: string, selector: Selector, metric: string, metricSelector: Selector): Promise<PodMetrics> {
  const root = await customRoot(read);
  const target = `${root}/namespaces/${segment(namespace)}/pods/%2A/${segment(metric)}?${query({ labelSelector: String(selector), metricLabelSelector: String(metricSelector) })}`;
  const items = await itemsOf(read, target, `pods.custom.metrics.k8s.io *`, "custom metrics API");
  return new Map(items.map(item => [nameOf(item["describedObject"]), {
    value: quantityMilli(String(item["value"])), timestampMs: msOf(String(item["timestamp"])), windowMs: typeof item["windowSeconds"] === "number" ? item["windowSeconds"] * 1000 : windowMsDefault,
  }]));
}

/** A metric of one object, in thousandths. `resource` is `deployments.apps`. */
export async function objectMetric(read: Read, namespace: string, object: { readonly kind: string; readonly resource: string; readonly name: string }, metric: string, metricSelector: Selector): Promise<number> {
  const root = await customRoot(read);
  const selector = query({ metricLabelSelector: String(metricSelector) });
  const place = object.kind === "Namespace" ? `namespaces/${segment(namespace)}/metrics/${segment(metric)}` : `namespaces/${segment(namespace)}/${segment(object.resource)}/${segment(object.name)}/${segment(metric)}`;
  const items = await itemsOf(read, `${root}/${place}?${selector}`, `${object.resource}.custom.metrics.k8s.io ${object.name}`, "custom metrics API", true);
  if (items.length !== 1) throw new MetricsError(`unable to fetch metrics from custom metrics API: the custom metrics API server returned ${items.length} results when we asked for exactly one`);
  return quantityMilli(String(items[0]!["value"]));
}

/** Every value of a metric from outside, in thousandths. */
export async function externalMetric(read: Read, namespace: string, metric: string, selector: Selector): Promise<readonly number[]> {
  const target = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${segment(namespace)}/${segment(metric)}?${query({ labelSelector: String(selector) })}`;
  return (await itemsOf(read, target, `${metric}.external.metrics.k8s.io`, "external metrics API")).map(item => quantityMilli(String(item["value"])));
}

async function customRoot(read: Read): Promise<string> {
  const failed = (why: string): MetricsError => new MetricsError(`unable to fetch metrics from custom metrics API: ${why}`);
  const groups = await read("/apis").catch((error: unknown) => { throw failed(messageOf(error)); });
  const group = list(isObject(groups) ? groups["groups"] : undefined).find(({ name }) => name === "custom.metrics.k8s.io");
  if (group === undefined) throw failed("no custom metrics API (custom.metrics.k8s.io) registered");
  const preferred = isObject(group["preferredVersion"]) ? String(group["preferredVersion"]["groupVersion"]) : "";
  const version = [preferred, ...list(group["versions"]).map(({ groupVersion }) => String(groupVersion))].find(each => customVersions.includes(each));
  if (version === undefined) throw failed("no known available metric versions found");
  return `/apis/${version}`;
}

async function itemsOf(read: Read, target: string, what: string, api: string, mayBeEmpty = false): Promise<readonly JsonObject[]> {
  let answer: Json;
  try {
    answer = await read(target);
  } catch (error) {
    throw new MetricsError(`unable to fetch metrics from ${api}: ${readError(error, what)}`);
  }
  const items = list(isObject(answer) ? answer["items"] : undefined);
  if (items.length === 0 && !mayBeEmpty) throw new MetricsError(`no metrics returned from ${api}`);
  return items;
}
/** client-go's words where a server answers without a Status. */
function readError(error: unknown, what: string): string {
  if (error instanceof ApiError && error.reason === "" && error.code === 404) return `the server could not find the requested resource (get ${what})`;
  if (error instanceof ApiError && error.code === 503) return `the server is currently unable to handle the request (get ${what})`;
  return messageOf(error);
}

const segment = encodeURIComponent;
function query(pairs: { readonly [name: string]: string }): string {
  return Object.entries(pairs).filter(([, value]) => value !== "").map(([name, value]) => `${name}=${segment(value)}`).join("&");
}
function nameOf(value: Json | undefined): string {
  return isObject(value) ? String(value["name"]) : "";
}
function list(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A node and what runs on it, in numbers that are kept up to date pod by pod. */
import { getOwn } from "../base/json.ts";
import { quantityValue } from "../base/quantity.ts";
import type { Node } from "../kinds/core/node.ts";
import type { Labels, PodInfo } from "./pod-info.ts";
import { type Resources, addResources, noResources, resourcesOf } from "./resources.ts";

export type Taint = { readonly key: string; readonly value?: string | undefined; readonly effect: string };

const noLabels: Labels = {};
const none: readonly never[] = [];

export class NodeInfo {
  node: Node;
  readonly name: string;
  labels: Labels;
  /** Those that keep pods away; `preferences` only advise against. */
  barriers: readonly Taint[];
  preferences: readonly Taint[];
  unschedulable: boolean;
  allocatable: Resources;
  podsMax: number;
  /** Bytes by normalised image name. */
  images: ReadonlyMap<string, number>;
  readonly pods = new Map<string, PodInfo>();
  readonly requested = noResources();
  readonly assumed = noResources();
  /** Pods with host ports. */
  readonly withPorts = new Set<PodInfo>();

  constructor(node: Node) {
    this.name = node.metadata.name;
    this.node = node;
    this.labels = noLabels;
    this.barriers = none;
    this.preferences = none;
    this.unschedulable = false;
    this.allocatable = noResources();
    this.podsMax = 0;
    this.images = new Map();
    this.update(node);
  }

  update(node: Node): void {
    const taints = node.spec.taints ?? none;
    this.node = node;
    this.labels = node.metadata.labels ?? noLabels;
    this.barriers = taints.filter(taint => taint.effect === "NoSchedule" || taint.effect === "NoExecute");
    this.preferences = taints.filter(taint => taint.effect === "PreferNoSchedule");
    this.unschedulable = node.spec.unschedulable === true;
    this.allocatable = resourcesOf(node.status.allocatable);
    this.podsMax = quantityValue(node.status.allocatable?.["pods"] ?? "0");
    this.images = new Map((node.status.images ?? none).flatMap(({ names, sizeBytes }) => names.map(name => [name, sizeBytes ?? 0] as const)));
  }

  add(pod: PodInfo): void {
    this.pods.set(pod.uid, pod);
    addResources(this.requested, pod.requests);
    addResources(this.assumed, pod.assumed);
    if (pod.ports.length > 0) this.withPorts.add(pod);
  }

  remove(pod: PodInfo): void {
    if (!this.pods.delete(pod.uid)) return;
    addResources(this.requested, pod.requests, -1);
    addResources(this.assumed, pod.assumed, -1);
    this.withPorts.delete(pod);
  }

  /** A copy to try things on. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node);
    for (const pod of this.pods.values()) copy.add(pod);
    return copy;
  }

  label(key: string): string | undefined {
    return getOwn(this.labels, key);
  }
}

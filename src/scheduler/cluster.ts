/**
 * What the scheduler knows of the cluster: nodes, what runs on them, and what it has decided but not yet seen happen.
 * Kept up to date change by change; scheduling a pod only reads it, and reads nothing else.
 */
import { assert } from "../base/assert.ts";
import { sameJson } from "../base/json.ts";
import type { Selector } from "../base/selector.ts";
import type { Node } from "../kinds/core/node.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { ClusterEvent } from "./cluster-event.ts";
import { NodeInfo } from "./node-info.ts";
import { type Counter, PodCounters } from "./pod-counters.ts";
import { type Labels, PodInfo, type PodTerm, isTerminal } from "./pod-info.ts";
import { TermIndex } from "./term-index.ts";
import type { VolumeNeeds } from "./volume-needs.ts";

/** What scheduling looks up besides nodes and pods. */
export interface Lookups {
  namespaceLabels(namespace: string): Labels | undefined;
  /** The selector of everything that means this pod to be one of several: its Services and its controller (helper.DefaultSelector). */
  siblingsOf(pod: Pod): Selector;
  /** The disruption budgets of a namespace. */
  budgetsOf(namespace: string): readonly Budget[];
  /** What its volumes demand. */
  volumesOf(pod: Pod): VolumeNeeds;
}
/** How many pods of a kind may go on purpose; those named have been let go already. */
export type Budget = { readonly selector: Selector; readonly allowed: number; readonly disrupted: { readonly [name: string]: unknown } };

const nobody: ReadonlyMap<PodInfo, string> = new Map();

type Placed = { readonly pod: PodInfo; readonly node: string; readonly assumed: boolean };

export class Cluster {
  readonly lookups: Lookups;
  readonly counters = new PodCounters();
  /** Required anti-affinity of the pods that are there. */
  readonly antiAffinity = new TermIndex();
  /** Their required affinity, each counting 1, and their preferences, counting their weights (against if anti). */
  readonly preferences = new TermIndex();
  /** How many nodes have an image. */
  readonly imageNodes = new Map<string, number>();
  /** Where the search for nodes goes on, so that all nodes get their turn. */
  searchFrom = 0;
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #pods = new Map<string, Placed>();
  /** Pods on nodes that we have not heard of (yet). */
  readonly #homeless = new Map<string, Map<string, PodInfo>>();
  readonly #nominated = new Map<string, Map<string, PodInfo>>();
  /** Of each claim, the pods on nodes that use it and their nodes. */
  readonly #claimUsers = new Map<string, Map<PodInfo, string>>();
  #order: readonly NodeInfo[] | undefined;

  constructor(lookups: Lookups) {
    this.lookups = lookups;
  }

  /** All nodes, zones taking turns. */
  get nodes(): readonly NodeInfo[] {
    return (this.#order ??= interleaveZones(this.#nodes.values()));
  }
  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  setNode(node: Node): ClusterEvent | undefined {
    const name = node.metadata.name;
    const known = this.#nodes.get(name);
    if (known === undefined) return this.#addNode(node);
    const before = known.node, labels = known.labels, allocatable = known.allocatable, podsMax = known.podsMax, zone = zoneOf(known);
    this.#countImages(known, -1);
    known.update(node);
    this.#countImages(known, 1);
    if (zoneOf(known) !== zone) this.#order = undefined;
    const event: ClusterEvent = {
      type: "node-changed", node: known, labels: !sameJson(labels, known.labels), taints: !sameJson(before.spec.taints, node.spec.taints),
      allocatable: podsMax !== known.podsMax || !sameJson(before.status.allocatable, node.status.allocatable) || allocatable.cpu !== known.allocatable.cpu,
      schedulable: before.spec.unschedulable === true && !known.unschedulable,
    };
    return event.labels || event.taints || event.allocatable || event.schedulable ? event : undefined;
  }

  #addNode(node: Node): ClusterEvent {
    const info = new NodeInfo(node);
    this.#nodes.set(info.name, info);
    this.#order = undefined;
    this.#countImages(info, 1);
    for (const pod of this.#homeless.get(info.name)?.values() ?? []) this.#attach(pod, info);
    this.#homeless.delete(info.name);
    return { type: "node-added", node: info };
  }

  removeNode(name: string): ClusterEvent | undefined {
    const info = this.#nodes.get(name);
    if (info === undefined) return undefined;
    for (const pod of [...info.pods.values()]) {
      this.#detach(pod, info);
      this.#shelter(pod, name);
    }
    this.#countImages(info, -1);
    this.#nodes.delete(name);
    this.#order = undefined;
    return { type: "node-gone" };
  }

  #countImages(node: NodeInfo, change: 1 | -1): void {
    for (const name of node.images.keys()) {
      const count = (this.imageNodes.get(name) ?? 0) + change;
      if (count === 0) this.imageNodes.delete(name);
      else this.imageNodes.set(name, count);
    }
  }

  /** A pod that is on a node, as the API has it now. */
  setPod(pod: Pod): ClusterEvent | undefined {
    const node = pod.spec.nodeName;
    assert(node !== undefined && node !== "", "only pods with a node are placed");
    const uid = pod.metadata.uid ?? "";
    if (isTerminal(pod)) return this.removePod(uid);
    const known = this.#pods.get(uid);
    if (known !== undefined && known.node === node && !known.assumed && countsTheSame(known.pod, pod)) {
      known.pod.pod = pod;
      return undefined;
    }
    const info = new PodInfo(pod);
    const relabelled = known !== undefined && !sameJson(known.pod.labels, info.labels), shrunk = known !== undefined && needsLess(info, known.pod);
    if (known !== undefined) this.#take(known);
    this.#put({ pod: info, node, assumed: false });
    if (known === undefined || relabelled) return { type: "pod-placed", pod: info };
    return shrunk ? { type: "pod-left", pod: known.pod } : undefined;
  }

  removePod(uid: string): ClusterEvent | undefined {
    const known = this.#pods.get(uid);
    if (known === undefined) return undefined;
    this.#take(known);
    return { type: "pod-left", pod: known.pod };
  }

  /** Counts a pod as being on the node that was chosen for it, before the API says so. */
  assume(pod: PodInfo, node: string): void {
    assert(!this.#pods.has(pod.uid), "a pod is given one node");
    this.#put({ pod, node, assumed: true });
  }
  /** Takes back `assume`, unless the API has confirmed it. */
  forget(uid: string): boolean {
    const known = this.#pods.get(uid);
    if (known === undefined || !known.assumed) return false;
    this.#take(known);
    return true;
  }
  isPlaced(uid: string): boolean {
    return this.#pods.has(uid);
  }

  #put(placed: Placed): void {
    const node = this.#nodes.get(placed.node);
    this.#pods.set(placed.pod.uid, placed);
    for (const claim of placed.pod.claims) this.#useClaim(`${placed.pod.namespace}/${claim}`, placed);
    if (node === undefined) this.#shelter(placed.pod, placed.node);
    else this.#attach(placed.pod, node);
  }
  #take(placed: Placed): void {
    this.#pods.delete(placed.pod.uid);
    for (const claim of placed.pod.claims) this.#leaveClaim(`${placed.pod.namespace}/${claim}`, placed.pod);
    const node = this.#nodes.get(placed.node);
    if (node === undefined) this.#homeless.get(placed.node)?.delete(placed.pod.uid);
    else this.#detach(placed.pod, node);
  }
  #shelter(pod: PodInfo, node: string): void {
    let pods = this.#homeless.get(node);
    if (pods === undefined) this.#homeless.set(node, (pods = new Map()));
    pods.set(pod.uid, pod);
  }

  #attach(pod: PodInfo, node: NodeInfo): void {
    node.add(pod);
    this.#count(pod, node, 1);
  }
  #detach(pod: PodInfo, node: NodeInfo): void {
    node.remove(pod);
    this.#count(pod, node, -1);
  }
  #count(pod: PodInfo, node: NodeInfo, change: 1 | -1): void {
    this.counters.count(pod, node, change, this.lookups);
    for (const term of pod.antiAffinity) this.antiAffinity.count(term, node, change);
    for (const term of pod.affinity) this.preferences.count(term, node, change);
    for (const { term, weight } of pod.preferredAffinity) this.preferences.count(term, node, change * weight);
    for (const { term, weight } of pod.preferredAntiAffinity) this.preferences.count(term, node, -change * weight);
  }

  #useClaim(key: string, { pod, node }: Placed): void {
    const users = this.#claimUsers.get(key);
    if (users === undefined) this.#claimUsers.set(key, new Map([[pod, node]]));
    else users.set(pod, node);
  }
  #leaveClaim(key: string, pod: PodInfo): void {
    const users = this.#claimUsers.get(key);
    if (users?.delete(pod) === true && users.size === 0) this.#claimUsers.delete(key);
  }
  /** The pods on nodes that use a claim, with their nodes, in the order in which they came. */
  usersOf(namespace: string, claim: string): ReadonlyMap<PodInfo, string> {
    return this.#claimUsers.get(`${namespace}/${claim}`) ?? nobody;
  }

  /** The pods on each node that match all of `terms`. */
  podsMatching(terms: readonly PodTerm[], countTerminating: boolean): Counter {
    return this.counters.of(terms, countTerminating, this.#nodes.values(), this.lookups);
  }

  /** A pod waits for its victims on this node: what is left there is kept for it against pods of lower priority. */
  nominate(pod: PodInfo, node: string): void {
    this.denominate(pod.uid);
    let pods = this.#nominated.get(node);
    if (pods === undefined) this.#nominated.set(node, (pods = new Map()));
    pods.set(pod.uid, pod);
  }
  denominate(uid: string): void {
    for (const [node, pods] of this.#nominated) if (pods.delete(uid) && pods.size === 0) this.#nominated.delete(node);
  }
  get hasNominated(): boolean {
    return this.#nominated.size > 0;
  }
  nominatedTo(node: string): readonly PodInfo[] {
    return [...this.#nominated.get(node)?.values() ?? []];
  }
}

/** Only its status has changed: what is counted has not. */
function countsTheSame({ pod: before, terminating }: PodInfo, now: Pod): boolean {
  return terminating === (now.metadata.deletionTimestamp !== undefined) && sameJson(before.spec, now.spec) && sameJson(before.metadata.labels, now.metadata.labels);
}

function needsLess(now: PodInfo, before: PodInfo): boolean {
  return now.requests.cpu < before.requests.cpu || now.requests.memory < before.requests.memory || now.requests.ephemeral < before.requests.ephemeral;
}

function zoneOf(node: NodeInfo): string {
  return `${node.label("topology.kubernetes.io/region") ?? ""}\n${node.label("topology.kubernetes.io/zone") ?? ""}`;
}

function interleaveZones(nodes: Iterable<NodeInfo>): readonly NodeInfo[] {
  const zones = new Map<string, NodeInfo[]>();
  for (const node of nodes) {
    const zone = zones.get(zoneOf(node));
    if (zone === undefined) zones.set(zoneOf(node), [node]);
    else zone.push(node);
  }
  const lists = [...zones.values()], longest = Math.max(0, ...lists.map(list => list.length));
  if (lists.length === 1) return lists[0]!;
  return Array.from({ length: longest }, (_, i) => lists.flatMap(list => (i < list.length ? [list[i]!] : []))).flat();
}

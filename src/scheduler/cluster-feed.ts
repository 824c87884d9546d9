/** Keeps the cluster and the queue up to date from informers: the only way in for what happens outside. */
import { setOwn } from "../base/json.ts";
import { Selector, selectorFromSet, selectorOf } from "../base/selector.ts";
import { type Change, byNamespace, joinKey } from "../client/informer.ts";
import type { Informers } from "../client/informers.ts";
import { ReplicaSet } from "../kinds/apps/replicaset.ts";
import { StatefulSet } from "../kinds/apps/statefulset.ts";
import { Namespace } from "../kinds/core/namespace.ts";
import { Node } from "../kinds/core/node.ts";
import { PersistentVolume } from "../kinds/core/persistentvolume.ts";
import { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";
import { Pod } from "../kinds/core/pod.ts";
import { ReplicationController } from "../kinds/core/replicationcontroller.ts";
import { Service } from "../kinds/core/service.ts";
import { PodDisruptionBudget } from "../kinds/policy/poddisruptionbudget.ts";
import { StorageClass } from "../kinds/storage/storageclass.ts";
import type { ClusterEvent } from "./cluster-event.ts";
import { Cluster } from "./cluster.ts";
import { type Labels, PodInfo, isTerminal } from "./pod-info.ts";
import type { SchedulingQueue } from "./queue.ts";
import { volumeNeeds } from "./volume-needs.ts";

const noLabels: Labels = {};
/** Controllers whose selectors say which pods are siblings. */
const owners = [ReplicaSet, StatefulSet, ReplicationController] as const;

/** What decides from where a pod's volumes can be reached. */
const storage = [PersistentVolumeClaim, PersistentVolume, StorageClass] as const;

export class ClusterFeed {
  readonly cluster: Cluster;
  readonly #informers: Informers;
  readonly #queue: SchedulingQueue;
  readonly #schedulerName: string;
  readonly #settled: (uid: string) => void;
  readonly #stops: (() => void)[] = [];

  /** `settled` is told of pods that need no node any more. */
  constructor(informers: Informers, queue: SchedulingQueue, schedulerName: string, settled: (uid: string) => void) {
    this.#informers = informers;
    this.#queue = queue;
    this.#schedulerName = schedulerName;
    this.#settled = settled;
    const namespaces = informers.of(Namespace);
    this.cluster = new Cluster({
      namespaceLabels: namespace => {
        const found = namespaces.get(namespace);
        return found === undefined ? undefined : found.metadata.labels ?? noLabels;
      },
      siblingsOf: pod => this.#siblingsOf(pod),
      budgetsOf: namespace => informers.of(PodDisruptionBudget).by(byNamespace, namespace).map(({ spec, status }) => ({ selector: selectorOf(spec.selector), allowed: status.disruptionsAllowed, disrupted: status.disruptedPods ?? {} })),
      volumesOf: pod => volumeNeeds(pod, {
        claim: (namespace, name) => informers.of(PersistentVolumeClaim).get(joinKey(namespace, name)), volume: name => informers.of(PersistentVolume).get(name),
        waits: name => informers.of(StorageClass).get(name)?.volumeBindingMode === "WaitForFirstConsumer",
      }),
    });
  }

  /** Loads everything once it is listed, then follows every change. */
  async start(signal: AbortSignal): Promise<void> {
    const nodes = this.#informers.of(Node), pods = this.#informers.of(Pod), namespaces = this.#informers.of(Namespace);
    await Promise.all([Node, Pod, Namespace, Service, PodDisruptionBudget, ...storage, ...owners].map(kind => this.#informers.of(kind).listed(signal)));
    if (signal.aborted) return;
    for (const node of nodes.list()) this.cluster.setNode(node);
    for (const pod of pods.list()) this.#podIs(pod);
    this.#stops.push(
      nodes.onChange(change => this.#tell(change.type === "deleted" ? this.cluster.removeNode(change.object.metadata.name) : this.cluster.setNode(change.object))),
      pods.onChange(change => this.#podChanged(change)),
      namespaces.onChange(change => {
        if (change.type !== "updated" || change.previous.metadata.labels === change.object.metadata.labels) return;
        this.cluster.counters.forgetNamespaceSelectors();
        this.#tell({ type: "selection-changed" });
      }),
      ...storage.map(kind => this.#informers.of(kind).onChange(() => this.#tell({ type: "volumes-changed" }))),
    );
  }
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** A decision has been taken back: the place is free again. */
  placeFreed(pod: PodInfo): void {
    this.#tell({ type: "pod-left", pod });
  }

  #tell(event: ClusterEvent | undefined): void {
    if (event !== undefined) this.#queue.notify(event);
  }

  #podChanged({ type, object }: Change<Pod>): void {
    if (type !== "deleted") return this.#podIs(object);
    const uid = object.metadata.uid ?? "";
    this.#settle(uid);
    this.#tell(this.cluster.removePod(uid));
  }
  #settle(uid: string): void {
    this.#queue.delete(uid);
    this.cluster.denominate(uid);
    this.#settled(uid);
  }

  #podIs(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    if ((pod.spec.nodeName ?? "") !== "") {
      this.#settle(uid);
      return this.#tell(this.cluster.setPod(pod));
    }
    if (pod.spec.schedulerName !== this.#schedulerName) return;
    if (isTerminal(pod) || pod.metadata.deletionTimestamp !== undefined) return this.#settle(uid);
    // Decided already: its binding is under way.
    if (this.cluster.isPlaced(uid)) return;
    const info = new PodInfo(pod);
    const promised = pod.status.nominatedNodeName ?? "";
    if (promised !== "" && this.cluster.node(promised) !== undefined) this.cluster.nominate(info, promised);
    this.#queue.update(info);
  }

  /** Upstream's helper.DefaultSelector. */
  #siblingsOf({ metadata }: Pod): Selector {
    const { namespace = "", labels = noLabels, ownerReferences = [] } = metadata;
    const shared: { [key: string]: string } = {};
    for (const { spec } of this.#informers.of(Service).by(byNamespace, namespace)) {
      const wanted = Object.entries(spec.selector ?? {});
      if (wanted.length > 0 && wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)) for (const [key, value] of wanted) setOwn(shared, key, value);
    }
    const owner = ownerReferences.find(({ controller }) => controller === true);
    if (owner?.kind === ReplicationController.kind) {
      const controller = this.#informers.of(ReplicationController).get(joinKey(namespace, owner.name));
      for (const [key, value] of Object.entries(controller?.spec.selector ?? {})) setOwn(shared, key, value);
    }
    const kind = owner === undefined ? undefined : [ReplicaSet, StatefulSet].find(each => each.kind === owner.kind);
    const set = kind === undefined ? undefined : this.#informers.of<typeof ReplicaSet | typeof StatefulSet>(kind).get(joinKey(namespace, owner!.name));
    const selector = selectorFromSet(shared);
    return set === undefined ? selector : new Selector([...selector.requirements, ...selectorOf(set.spec.selector).requirements]);
  }
}

/** The node agent: one worker for each pod bound here, the runtime's events to wake them, and what is left of other pods cleared away. */
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { supervise } from "../base/supervise.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder, Involved } from "../client/events.ts";
import type { Change } from "../client/informer.ts";
import type { Node } from "../kinds/core/node.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Service } from "../kinds/core/service.ts";
import { Admission } from "./admission.ts";
import { BackOff } from "./back-off.ts";
import { claimSource } from "./claims.ts";
import { containersOf, involved } from "./containers.ts";
import { Eviction, lookMs } from "./eviction.ts";
import type { AgentFigures } from "./figures.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { NodeHost } from "./host.ts";
import { collectMs, ImageCollection } from "./image-collection.ts";
import { Images } from "./images.ts";
import { rotateLogs } from "./log-rotation.ts";
import { allocatableOf, type MachineFacts, type NodeIdentity } from "./machine.ts";
import { endOrphan, removePod } from "./pod-end.ts";
import type { PodServices } from "./pod-services.ts";
import { PodWorker } from "./pod-worker.ts";
import type { References } from "./references.ts";
import type { ContainerRuntime } from "./runtime.ts";
import type { NodeFacts } from "./sandbox-config.ts";
import type { Seen, Stats } from "./stats.ts";
import { StatusWriter } from "./status-writer.ts";
import { tokenSource } from "./tokens.ts";
import { VolumeTally } from "./volume-tally.ts";
import { Volumes } from "./volumes.ts";

/** The pods bound to one node, with every change. An `Informer` with a field selector is one. */
export interface PodSource {
  list(): readonly Pod[];
  onChange(listener: (change: Change<Pod>) => void): () => void;
  listed(signal: AbortSignal): Promise<void>;
}

export type AgentOptions = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly recorder: EventRecorder;
  readonly identity: NodeIdentity;
  readonly node: NodeFacts;
  readonly machine: () => Promise<MachineFacts>;
  readonly podCIDRs: readonly string[];
  readonly runtime: ContainerRuntime;
  readonly host: NodeHost;
  readonly references: References;
  readonly services: () => Promise<readonly Service[]>;
  readonly nodeHosts: () => Promise<string>;
  readonly pods: PodSource;
  /** Has the runtime running; called before its events are listened to, and again whenever they break off. */
  readonly ensureRuntime?: () => Promise<void>;
  /** Measures this node; with it images are collected and pods evicted when memory or disk run out. */
  readonly stats?: Stats;
  /** Counts what this agent does; absent: nobody does. */
  readonly figures?: AgentFigures;
  /** Images that are never collected. */
  readonly pinnedImages?: readonly string[];
};

/** Sandboxes and containers being made at a time: the two or more cores are the limit, not the runtime (runtime.md, 1.4). */
const turnsMax = 4;
const restartFirstMs = 10_000;
export const restartMaxMs = 300_000;
/** Events can be lost: this often the runtime is asked what there is. */
const relistMs = 30_000;
/** Orphans and log sizes are looked at this often. */
export const tidyMs = 10_000;

export class Agent {
  readonly #options: AgentOptions;
  readonly #workers = new Map<string, PodWorker>();
  readonly #owners = new Map<string, string>();
  readonly #clearing = new Set<string>();
  #services: PodServices | undefined;
  #heartbeat: Heartbeat | undefined;
  #eviction: Eviction | undefined;
  #seen = new Map<string, string>();
  #listedAt: number | undefined;
  #runtimeProblem: string | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  get workers(): ReadonlyMap<string, PodWorker> {
    return this.#workers;
  }
  workerOf(namespace: string, name: string, uid?: string): PodWorker | undefined {
    return [...this.#workers.values()].find(({ pod: { metadata } }) => metadata.namespace === namespace && metadata.name === name && (uid === undefined || metadata.uid === uid));
  }
  /** What its pods hold now. */
  seen(): readonly Seen[] {
    return [...this.#workers.values()].map(({ pod, runtimeState }) => ({ pod, state: runtimeState, claims: this.#services?.volumes.claimsOf(pod) ?? [] }));
  }
  /** Why this node cannot do its work now. */
  get problem(): string | undefined {
    return this.#runtimeProblem;
  }

  /** Runs until `signal` aborts; pods then stay as they are. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, log, runtime, identity, machine, podCIDRs, recorder, pods } = this.#options;
    const facts = await machine();
    this.#services = this.#made(facts, signal);
    this.#heartbeat = new Heartbeat({
      client, clock, log, runtime, identity, facts: machine, podCIDRs, problems: () => (this.#runtimeProblem === undefined ? [] : [this.#runtimeProblem]), pressures: () => this.#eviction?.pressures ?? new Set(),
      tell: (node, type, reason, message) => recorder.event(involvedNode(node), type, reason, message),
    });
    const registered = this.#heartbeat.register(signal);
    await pods.listed(signal);
    if (signal.aborted) return;
    const stopListening = pods.onChange(change => this.#changed(change));
    for (const pod of pods.list()) this.#have(pod);
    await registered;
    const keeping = this.#housekeeping(signal);
    const service = (name: string, run: (signal: AbortSignal) => Promise<void>): Promise<void> => supervise({ name, run }, { clock, log, maxWaitMs: 5_000 }, signal);
    await Promise.all([
      service("heartbeat", stop => this.#heartbeat!.run(stop)), service("runtime events", stop => this.#listen(stop)),
      service("relist", stop => this.#every(relistMs, stop, () => this.#relist())), service("tidying", stop => this.#every(tidyMs, stop, () => this.#tidy())),
      ...keeping.map(({ name, ms, work }) => service(name, stop => this.#every(ms, stop, () => work(stop)))),
    ]);
    stopListening();
    for (const worker of this.#workers.values()) worker.stop();
  }

  #housekeeping(signal: AbortSignal): readonly { readonly name: string; readonly ms: number; readonly work: (stop: AbortSignal) => Promise<void> }[] {
    const { stats, clock, log, runtime, recorder, pinnedImages = [], figures } = this.#options;
    const counted = figures && { figures };
    if (stats === undefined) return [];
    const tellNode = (reason: string, message: string): void => { if (!signal.aborted) this.tellNode(reason, message); };
    const images = new ImageCollection({ ...counted, runtime, clock, log, disk: () => stats.imagesDisk(), pinned: pinnedImages, tellNode, pods: () => [...this.#workers.values()].map(({ pod, runtimeState }) => ({ pod, state: runtimeState })) });
    const eviction = new Eviction({
      ...counted, stats, clock, log, workers: () => [...this.#workers.values()], freeImages: () => images.freeAll(), tellNode, changed: async () => this.#heartbeat?.report(), published: () => conditionsOf(this.#heartbeat?.node), writable: async () => this.#heartbeat?.renew(),
      tellPod: (worker, reason, message) => recorder.event(involved(worker.pod), "Warning", reason, message),
    });
    this.#eviction = eviction;
    return [{ name: "eviction", ms: lookMs, work: stop => eviction.look(stop) }, { name: "image collection", ms: collectMs, work: () => images.collect() }];
  }

  #made(facts: MachineFacts, signal: AbortSignal): PodServices {
    const { client, clock, random, log, runtime, host, node, references, recorder, identity, services, nodeHosts, figures } = this.#options;
    const allocatable = allocatableOf(facts, identity.podsMax);
    const admission = new Admission(allocatable, identity, () => [...this.#workers.values()].map(({ pod }) => pod), () => this.#heartbeat?.node, () => this.#eviction?.effective ?? new Set());
    return {
      client, clock, random, log, runtime, host, node, references, services, nodeHosts, allocatable: () => allocatable, ...(figures && { figures }),
      images: new Images(runtime, references, clock), volumes: new Volumes(host.files, node, tokenSource(client, clock, random), runtime, claimSource(client), figures && new VolumeTally(figures.metrics, clock)), statuses: new StatusWriter({ client, clock, log }, signal),
      restarts: new BackOff(clock, restartFirstMs, restartMaxMs),
      tell: (pod, placed, type, reason, message) => recorder.event(involved(pod, placed), type, reason, message), refuse: pod => admission.refuse(pod), refreshNode: async () => this.#heartbeat?.refresh(), turn: turns(turnsMax),
    };
  }

  #changed({ type, object }: Change<Pod>): void {
    if (type === "deleted") this.#workers.get(object.metadata.uid ?? "")?.removed(object);
    else this.#have(object);
  }
  #have(pod: Pod): void {
    const uid = pod.metadata.uid ?? "";
    const known = this.#workers.get(uid);
    if (known) return known.update(pod);
    // A pod that has ended and been cleaned up needs no worker to say so again.
    this.#workers.set(uid, new PodWorker(this.#services!, pod, () => this.#workers.delete(uid)));
  }

  async #listen(signal: AbortSignal): Promise<void> {
    await this.#options.ensureRuntime?.();
    const stream = this.#options.runtime.events((id, what) => this.#happened(id, what), signal);
    // Whatever happened while nobody listened shows in a list.
    await this.#relist();
    await stream;
  }
  #happened(id: string, what: "started" | "ended"): void {
    // Starts are our own doing: the worker that did it looks by itself.
    if (what === "started") return;
    const tell = (): boolean => {
      const worker = this.#workers.get(this.#ownerOf(id) ?? "");
      worker?.happened(id, what);
      return worker !== undefined;
    };
    if (tell()) return;
    // Ended before its worker had seen it: the list says whose it was.
    this.#relist().then(tell, (error: unknown) => this.#options.log.warn("the runtime could not be listed", { error: messageOf(error) }));
  }
  #ownerOf(id: string): string | undefined {
    const known = this.#owners.get(id);
    if (known !== undefined) return known;
    for (const [uid, worker] of this.#workers)
      if (worker.runtimeState?.containers.some(container => container.id === id) || worker.runtimeState?.sandboxes.some(sandbox => sandbox.id === id)) return uid;
    return undefined;
  }

  /** Compares what the runtime has with what it had, and wakes whose pod differs; orphans are cleared away. */
  async #relist(): Promise<void> {
    const { clock, figures } = this.#options;
    const began = clock.monotonic();
    if (this.#listedAt !== undefined) figures?.relistIntervals.observe((began - this.#listedAt) / 1000);
    this.#listedAt = began;
    let listed: Awaited<ReturnType<ContainerRuntime["list"]>>;
    try {
      listed = await this.#options.runtime.list();
      this.#runtimeProblem = undefined;
    } catch (error) {
      this.#runtimeProblem = `PLEG is not healthy: ${messageOf(error)}`;
      throw error;
    } finally {
      figures?.relists.observe((clock.monotonic() - began) / 1000);
    }
    const now = new Map<string, string>();
    this.#owners.clear();
    for (const { id, podUID, state } of [...listed.sandboxes, ...listed.containers]) {
      now.set(id, state);
      this.#owners.set(id, podUID);
      const before = this.#seen.get(id);
      if (before !== state) this.#workers.get(podUID)?.wake();
    }
    for (const [id] of this.#seen) if (!now.has(id)) this.#workers.get(this.#ownerOf(id) ?? "")?.wake();
    this.#seen = now;
    for (const uid of new Set([...listed.sandboxes, ...listed.containers].map(({ podUID }) => podUID)))
      if (!this.#workers.has(uid)) void this.#clear(uid);
  }

  /** Ends and removes what the runtime has of a pod that is not bound here (any more). */
  async #clear(podUID: string): Promise<void> {
    const { runtime, log, host, node } = this.#options;
    const services = this.#services!;
    if (this.#clearing.has(podUID)) return;
    this.#clearing.add(podUID);
    try {
      const state = await runtime.podState(podUID);
      if (this.#workers.has(podUID)) return;
      await endOrphan(services, podUID, state);
      await removePod(services, await runtime.podState(podUID));
      await services.volumes.remove(podUID);
      await host.hostPorts.close(podUID);
      for (const parent of await host.cgroups.list()) if (parent.endsWith(`/pod${podUID}`)) await host.cgroups.remove(parent);
      const [sandbox] = state.sandboxes;
      if (sandbox) await host.files.removeTree(`${node.logsDir}/${sandbox.namespace}_${sandbox.name}_${podUID}`);
    } catch (error) {
      log.warn("what is left of a pod could not be removed, trying again", { uid: podUID, error: messageOf(error) });
    } finally {
      this.#clearing.delete(podUID);
    }
  }

  async #tidy(): Promise<void> {
    const { host, node, runtime, log } = this.#options;
    for (const worker of this.#workers.values()) if (worker.state === "syncing" && worker.runtimeState) await rotateLogs(worker.pod, worker.runtimeState, { files: host.files, runtime, node, clock: this.#options.clock, log });
    // Folders and cgroups of pods that neither the API nor the runtime knows.
    const known = (uid: string): boolean => this.#workers.has(uid) || [...this.#owners.values()].includes(uid);
    for (const folder of [node.podsDir, node.memoryDir]) for (const uid of await host.files.list(folder)) if (!known(uid)) await host.files.removeTree(`${folder}/${uid}`);
    for (const folder of await host.files.list(node.logsDir)) if (!known(folder.slice(folder.lastIndexOf("_") + 1))) await host.files.removeTree(`${node.logsDir}/${folder}`);
    for (const parent of await host.cgroups.list()) if (!known(parent.slice(parent.lastIndexOf("/pod") + 4))) await host.cgroups.remove(parent);
  }

  async #every(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(ms, signal);
      if (!signal.aborted) await work();
    }
  }

  /** Says that the API objects a pod uses have changed. */
  referencesChanged(podUIDs: readonly string[]): void {
    for (const uid of podUIDs) this.#workers.get(uid)?.wake();
  }
  /** A warning about this node, once it is known. */
  tellNode(reason: string, message: string): void {
    const node = this.#heartbeat?.node;
    if (node !== undefined) this.#options.recorder.event(involvedNode(node), "Warning", reason, message);
  }
  /** Containers of all pods here, for whoever counts. */
  get containerCount(): number {
    return [...this.#workers.values()].reduce((sum, { pod }) => sum + containersOf(pod).length, 0);
  }
}

// Quirk: kubelet's node events carry the node's name as its uid (pkg/kubelet/kubelet.go: nodeRef); kubectl describe looks for both.
function involvedNode(node: Node): Involved {
  return { apiVersion: "", kind: "Node", metadata: { ...node.metadata, uid: node.metadata.name ?? "" } };
}

/** At most `max` at a time, in order. */
export function turns(max: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async work => {
    if (running >= max) await new Promise<void>(resolve => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}

/** What a Node says is the case with it. */
function conditionsOf(node: Node | undefined): ReadonlySet<string> {
  return new Set((node?.status.conditions ?? []).filter(({ status }) => status === "True").map(({ type }) => type));
}

/** What this node and its pods use: kubelet's stats summary (k8s.io/kubelet/pkg/apis/stats/v1alpha1), measured when somebody asks and never otherwise. */
import type { Clock } from "../base/clock.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { timeOf } from "../base/time.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { ContainerRuntime, ContainerState, PodState } from "./runtime.ts";
import { cgroupParentOf, podLogsDir, type NodeFacts } from "./sandbox-config.ts";
import type { CgroupUsage, DiskUsage, FolderSize, MemoryUsage, Meter, NetworkUsage } from "./usage.ts";

/** A pod, and what the runtime held of it when it was looked at last. */
export type Seen = { readonly pod: Pod; readonly state: PodState | undefined; /** Claims whose volumes it has mounted. */ readonly claims?: readonly MountedClaim[] };
/** `path`: where the volume lies on this node. */
export type MountedClaim = { readonly volume: string; readonly claim: string; readonly path: string };
/** Of the file system that a claim's volume lies on, as of upstream's local volumes (pkg/volume/local). */
export type ClaimUsage = { readonly namespace: string; readonly claim: string; readonly disk: DiskUsage };
export type StatsOptions = {
  readonly meter: Meter;
  readonly clock: Clock;
  readonly runtime: Pick<ContainerRuntime, "writableLayers">;
  readonly node: Pick<NodeFacts, "nodeName" | "cgroupRoot" | "logsDir" | "podsDir">;
  /** A folder on the file system of images and containers' layers. */
  readonly imagesDir: string;
};

/** A rate is told only over this span; an older sample says nothing of now. */
const rateSpanMinMs = 200;
const rateSpanMaxMs = 120_000;
type Sample = { readonly atMs: number; readonly cpuNanos: number };

export class Stats {
  readonly #options: StatsOptions;
  /** The sample before this one, by cgroup; only of what exists. */
  #samples = new Map<string, Sample>();
  constructor(options: StatsOptions) {
    this.#options = options;
  }

  /** `GET /stats/summary`; `brief` leaves out everything but processor and memory, which alone are cheap. */
  async summary(pods: readonly Seen[], brief = false): Promise<Json> {
    const fresh = new Map<string, Sample>();
    const layers = brief ? undefined : await this.#options.runtime.writableLayers();
    const bodies: Json[] = [];
    for (const seen of pods) {
      const body = await this.#pod(seen, fresh, layers);
      if (body !== undefined) bodies.push(body);
    }
    const node = await this.#node(fresh, brief);
    this.#samples = fresh;
    return { node, pods: bodies };
  }
  /** The node's own part alone; rates of others are left as they are. */
  async nodeSummary(): Promise<Json> {
    return { node: await this.#node(new Map(), false), pods: [] };
  }
  /** The pods' parts alone. */
  async podsSummary(pods: readonly Seen[]): Promise<Json> {
    const layers = await this.#options.runtime.writableLayers();
    const bodies: Json[] = [];
    for (const seen of pods) bodies.push((await this.#pod(seen, new Map(), layers)) ?? null);
    return bodies;
  }

  async #node(fresh: Map<string, Sample>, brief: boolean): Promise<Json> {
    const { node } = this.#options;
    const machine = this.#options.meter.machine();
    const podsCgroup = this.#cgroup(node.cgroupRoot, fresh);
    const body: { [name: string]: Json } = {
      nodeName: node.nodeName, startTime: timeOf(machine.bootedAt), cpu: this.#cpu("", machine.cpuNanos, fresh), memory: this.#memory(machine.memory, machine.memoryCapacity),
      ...(podsCgroup === undefined ? {} : { systemContainers: [{ name: "pods", startTime: timeOf(machine.bootedAt), ...podsCgroup }] }),
    };
    if (!brief) {
      const [disk, images] = await Promise.all([this.#options.meter.disk(node.podsDir), this.#options.meter.disk(this.#options.imagesDir)]);
      body["network"] = this.#network(machine.networks);
      body["fs"] = this.#disk(disk);
      body["runtime"] = { imageFs: this.#disk(images), containerFs: this.#disk(images) };
      body["rlimit"] = { time: this.#now, maxpid: machine.processesMax, curproc: machine.processes };
    }
    return body;
  }

  get #now(): string {
    return timeOf(this.#options.clock.now());
  }

  async #pod({ pod, state, claims = [] }: Seen, fresh: Map<string, Sample>, layers: ReadonlyMap<string, FolderSize> | undefined): Promise<Json | undefined> {
    const { node, meter } = this.#options;
    const parent = cgroupParentOf(pod, node);
    const whole = this.#cgroup(parent, fresh);
    const running = (state?.containers ?? []).filter(container => container.state === "running");
    if (whole === undefined || running.length === 0) return undefined;
    const { name = "", namespace = "", uid = "" } = pod.metadata;
    const containers: Json[] = [];
    for (const container of running) containers.push(await this.#container(pod, container, fresh, layers));
    const body: { [name: string]: Json } = { podRef: { name, namespace, uid }, startTime: pod.status.startTime ?? timeOf(state?.sandboxes[0]?.createdAt ?? 0), containers, ...whole };
    if (layers === undefined) return body;
    const sandbox = state?.sandboxes.find(({ ready }) => ready);
    if (sandbox !== undefined && !sandbox.hostNetwork) body["network"] = this.#network(meter.networks(`${parent}/${sandbox.id}`));
    const [disk, volumes] = await Promise.all([meter.disk(node.podsDir), this.#volumes(pod)]);
    const claimed: Json[] = [];
    for (const { volume, claim, path } of claims) claimed.push({ name: volume, pvcRef: { name: claim, namespace }, ...this.#disk(await meter.disk(path)) });
    if (volumes.length + claimed.length > 0) body["volume"] = [...volumes.map(({ name, size }) => ({ name, ...this.#used(size, disk) })), ...claimed];
    const used = await this.ephemeral(pod, running, layers);
    body["ephemeral-storage"] = this.#used(used, disk);
    body["process_stats"] = { process_count: meter.cgroup(parent)?.processes ?? 0 };
    return body;
  }

  async #container(pod: Pod, { id, name, startedAt, logPath }: ContainerState, fresh: Map<string, Sample>, layers: ReadonlyMap<string, FolderSize> | undefined): Promise<Json> {
    const { node, meter, imagesDir } = this.#options;
    const body = { name, startTime: timeOf(startedAt), ...this.#cgroup(`${cgroupParentOf(pod, node)}/${id}`, fresh) };
    if (layers === undefined) return body;
    const [logs, logsDisk, rootDisk] = await Promise.all([meter.size(logPath), meter.disk(node.podsDir), meter.disk(imagesDir)]);
    return { ...body, rootfs: this.#used(layers.get(id) ?? { bytes: 0, inodes: 0 }, rootDisk), logs: this.#used(logs, logsDisk) };
  }

  /** What a pod has written on the node's disk: layers of its containers, their logs, and its emptyDir volumes that are not in memory. */
  async ephemeral(pod: Pod, containers: readonly ContainerState[], layers: ReadonlyMap<string, FolderSize>): Promise<FolderSize> {
    const { meter, node } = this.#options;
    const sizes = [...containers.map(({ id }) => layers.get(id) ?? { bytes: 0, inodes: 0 }), await meter.size(podLogsDir(pod, node)), ...(await this.#volumes(pod)).filter(({ onDisk }) => onDisk).map(({ size }) => size)];
    return sizes.reduce((sum, { bytes, inodes }) => ({ bytes: sum.bytes + bytes, inodes: sum.inodes + inodes }), { bytes: 0, inodes: 0 });
  }
  async #volumes(pod: Pod): Promise<readonly { readonly name: string; readonly size: FolderSize; readonly onDisk: boolean }[]> {
    const { meter, node } = this.#options;
    const own = (pod.spec.volumes ?? []).filter(volume => volume.emptyDir !== undefined);
    return Promise.all(own.map(async ({ name, emptyDir }) => ({ name, size: await meter.size(`${node.podsDir}/${pod.metadata.uid}/volumes/kubernetes.io~empty-dir/${name}`), onDisk: emptyDir?.medium === undefined || emptyDir.medium === "" })));
  }

  #cgroup(path: string, fresh: Map<string, Sample>): JsonObject | undefined {
    const usage = this.#options.meter.cgroup(path);
    if (usage === undefined) return undefined;
    return { cpu: this.#cpu(path, usage.cpuNanos, fresh), memory: this.#memory(usage.memory, usage.limits.memory) };
  }
  #cpu(key: string, cpuNanos: number, fresh: Map<string, Sample>): Json {
    const { clock } = this.#options;
    const atMs = clock.monotonic();
    const before = this.#samples.get(key);
    const spanMs = before === undefined ? Infinity : atMs - before.atMs;
    // Two askers in a row must not make the span so short that it says nothing.
    fresh.set(key, before !== undefined && spanMs < rateSpanMinMs ? before : { atMs, cpuNanos });
    const rate = before !== undefined && spanMs >= rateSpanMinMs && spanMs <= rateSpanMaxMs && cpuNanos >= before.cpuNanos ? { usageNanoCores: Math.round(((cpuNanos - before.cpuNanos) / spanMs) * 1000) } : {};
    return { time: timeOf(clock.now()), ...rate, usageCoreNanoSeconds: cpuNanos };
  }
  #memory({ usage, workingSet, rss, pageFaults, majorPageFaults }: Omit<MemoryUsage, "failures">, most: number | undefined): Json {
    return { time: this.#now, ...(most === undefined ? {} : { availableBytes: Math.max(0, most - workingSet) }), usageBytes: usage, workingSetBytes: workingSet, rssBytes: rss, pageFaults, majorPageFaults };
  }
  #network(networks: readonly NetworkUsage[]): Json {
    const one = ({ name, rxBytes, rxErrors, txBytes, txErrors }: NetworkUsage): JsonObject => ({ name, rxBytes, rxErrors, txBytes, txErrors });
    const first = networks.find(({ name }) => name === "eth0") ?? networks[0];
    return { time: this.#now, ...(first === undefined ? {} : one(first)), interfaces: networks.map(one) };
  }
  #disk({ available, capacity, used, inodes, inodesFree }: DiskUsage): JsonObject {
    return { time: this.#now, availableBytes: available, capacityBytes: capacity, usedBytes: used, inodesFree, inodes, inodesUsed: inodes - inodesFree };
  }
  #used({ bytes, inodes }: FolderSize, disk: DiskUsage): JsonObject {
    return { time: this.#now, availableBytes: disk.available, capacityBytes: disk.capacity, usedBytes: bytes, inodesFree: disk.inodesFree, inodes: disk.inodes, inodesUsed: inodes };
  }

  /** Each claim of pods that run here, once. */
  async claims(pods: readonly Seen[]): Promise<readonly ClaimUsage[]> {
    const found = new Map<string, ClaimUsage>();
    for (const { pod, state, claims = [] } of pods) {
      const { namespace = "" } = pod.metadata;
      if (!state?.containers.some(container => container.state === "running")) continue;
      for (const { claim, path } of claims) if (!found.has(`${namespace}/${claim}`)) found.set(`${namespace}/${claim}`, { namespace, claim, disk: await this.#options.meter.disk(path) });
    }
    return [...found.values()];
  }
  /** Every running container and pod with its figures, for the Prometheus text. */
  figures(pods: readonly Seen[]): readonly Figure[] {
    const { meter, node } = this.#options;
    return pods.flatMap(({ pod, state }) => {
      const parent = cgroupParentOf(pod, node);
      const whole = meter.cgroup(parent);
      const running = (state?.containers ?? []).filter(container => container.state === "running");
      if (whole === undefined || running.length === 0) return [];
      const names = { namespace: pod.metadata.namespace ?? "", pod: pod.metadata.name ?? "" };
      const sandbox = state?.sandboxes.find(({ ready }) => ready);
      const startedAt = Date.parse(pod.status.startTime ?? "") || (sandbox?.createdAt ?? 0);
      const networks = sandbox === undefined || sandbox.hostNetwork ? [] : meter.networks(`${parent}/${sandbox.id}`);
      const own = running.flatMap((container): readonly Figure[] => {
        const usage = meter.cgroup(`${parent}/${container.id}`);
        return usage === undefined ? [] : [{ labels: { container: container.name, id: `${parent}/${container.id}`, image: container.image, name: container.id, ...names }, usage, startedAt: container.startedAt, networks: [] }];
      });
      return [{ labels: { container: "", id: parent, image: "", name: "", ...names }, usage: whole, startedAt, networks }, ...own];
    });
  }
  /** The file system of images and layers. */
  imagesDisk(): Promise<DiskUsage> {
    return this.#options.meter.disk(this.#options.imagesDir);
  }
  machine(): ReturnType<Meter["machine"]> {
    return this.#options.meter.machine();
  }
}

/** One cgroup with the labels that cAdvisor's users know it by; `container` is empty for a whole pod. */
export type Figure = {
  readonly labels: { readonly container: string; readonly id: string; readonly image: string; readonly name: string; readonly namespace: string; readonly pod: string };
  readonly usage: CgroupUsage;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly networks: readonly NetworkUsage[];
};

/** What a node says of itself: facts of the machine, and the Node's status made of them. */
import { timeOf } from "../base/time.ts";
import type { Node, NodeStatus } from "../kinds/core/node.ts";
import { diskPercentMin } from "./pressure.ts";
import type { ImageState, RuntimeCondition } from "./runtime.ts";

export type MachineFacts = {
  readonly hostname: string;
  readonly addresses: readonly string[];
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly machineID: string;
  readonly systemUUID: string;
  readonly bootID: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
  readonly swapBytes: number;
  /** `2Mi` and its kind, with the bytes set aside. */
  readonly hugepages: { readonly [size: string]: number };
};
export type NodeIdentity = { readonly name: string; readonly kubeletVersion: string; readonly port: number; readonly podsMax: number; readonly labels: { readonly [key: string]: string } };

/** Upstream keeps this much memory from pods before it evicts (eviction hard: memory.available<100Mi). */
const memoryKept = 100 * 2 ** 20;
export const statusImagesMax = 50;

export function capacityOf({ cpus, memoryBytes, ephemeralBytes, hugepages }: MachineFacts, podsMax: number): { readonly [resource: string]: string } {
  return {
    cpu: String(cpus), "ephemeral-storage": `${Math.floor(ephemeralBytes / 1024)}Ki`, ...Object.fromEntries(Object.entries(hugepages).map(([size, bytes]) => [`hugepages-${size}`, String(bytes)])),
    memory: `${Math.floor(memoryBytes / 1024)}Ki`, pods: String(podsMax),
  };
}
export function allocatableOf(facts: MachineFacts, podsMax: number): { readonly [resource: string]: string } {
  const pages = Object.values(facts.hugepages).reduce((sum, bytes) => sum + bytes, 0);
  return {
    ...capacityOf(facts, podsMax), "ephemeral-storage": String(Math.floor((facts.ephemeralBytes * (100 - diskPercentMin)) / 100)), memory: `${Math.floor(Math.max(0, facts.memoryBytes - memoryKept - pages) / 1024)}Ki`,
  };
}

export function labelsOf(identity: NodeIdentity, facts: MachineFacts): { readonly [key: string]: string } {
  return {
    "beta.kubernetes.io/arch": facts.architecture, "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": facts.architecture, "kubernetes.io/hostname": facts.hostname, "kubernetes.io/os": "linux", ...identity.labels,
  };
}

export type Health = { readonly runtime: readonly RuntimeCondition[]; /** What else keeps the node from working. */ readonly problems: readonly string[]; /** What the node is short of. */ readonly pressures?: ReadonlySet<string> };

/** The parts of the status that this agent owns; merged into whatever others have put there. */
export function nodeStatus(identity: NodeIdentity, facts: MachineFacts, health: Health, runtimeVersion: string, images: readonly ImageState[], previous: Node | undefined, now: number): NodeStatus {
  return {
    addresses: [...facts.addresses.map(address => ({ type: "InternalIP", address })), { type: "Hostname", address: facts.hostname }],
    // What others say that the node has besides, pods may have whole (pkg/kubelet/nodestatus MachineInfo).
    capacity: capacityOf(facts, identity.podsMax), allocatable: { ...previous?.status.capacity, ...allocatableOf(facts, identity.podsMax) },
    conditions: nodeConditions(health, previous, now),
    daemonEndpoints: { kubeletEndpoint: { Port: identity.port } },
    images: [...images].sort((a, b) => b.size - a.size).slice(0, statusImagesMax).map(({ tags, digests, size }) => ({ names: [...digests, ...tags].slice(0, 5), sizeBytes: size })),
    nodeInfo: {
      machineID: facts.machineID, systemUUID: facts.systemUUID, bootID: facts.bootID, kernelVersion: facts.kernelVersion, osImage: facts.osImage, containerRuntimeVersion: runtimeVersion,
      kubeletVersion: identity.kubeletVersion, kubeProxyVersion: "", operatingSystem: "linux", architecture: facts.architecture, ...(facts.swapBytes > 0 && { swap: { capacity: facts.swapBytes } }),
    },
  };
}

function nodeConditions({ runtime, problems, pressures = new Set() }: Health, previous: Node | undefined, now: number): NonNullable<NodeStatus["conditions"]> {
  const broken = [...problems, ...runtime.filter(({ status }) => !status).map(({ type, reason, message }) => `container runtime ${type === "NetworkReady" ? "network " : ""}not ready: ${type}=false reason:${reason} message:${message}`)];
  const ready = broken.length === 0;
  const verdicts = [
    pressures.has("MemoryPressure") ? ["MemoryPressure", "True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"] : ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    pressures.has("DiskPressure") ? ["DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure"] : ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    pressures.has("PIDPressure") ? ["PIDPressure", "True", "KubeletHasInsufficientPID", "kubelet has insufficient PID available"] : ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    ["Ready", ready ? "True" : "False", ready ? "KubeletReady" : "KubeletNotReady", ready ? "kubelet is posting ready status" : broken.length === 1 ? broken[0]! : `[${broken.join(", ")}]`],
  ] as const;
  return verdicts.map(([type, status, reason, message]) => {
    const before = previous?.status.conditions?.find(condition => condition.type === type);
    return { type, status, reason, message, lastHeartbeatTime: timeOf(now), lastTransitionTime: before?.status === status && before.lastTransitionTime ? before.lastTransitionTime : timeOf(now) };
  });
}

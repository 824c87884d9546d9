/** The parts of a machine that the agent needs besides the runtime. `host/` implements them on Linux; simulated nodes have none. */
import type { Pod } from "../kinds/core/pod.ts";
import type { PodLimits } from "./resources.ts";

/** Files of a projected volume by relative path. */
export type Payload = ReadonlyMap<string, { readonly content: Uint8Array; readonly mode: number; readonly uid?: number }>;

export interface Files {
  /** Makes the folder and its parents; the last one gets exactly this mode. */
  makeFolder(path: string, mode: number): Promise<void>;
  /** Replaces the folder's content at once: readers see all old files or all new ones (`..data` symlink swap). False when nothing changed. */
  publish(folder: string, payload: Payload, group: number | undefined): Promise<boolean>;
  /** Writes in place, so that a file already mounted into a container changes there too. */
  writeFile(path: string, content: string, mode: number): Promise<void>;
  /** The last `bytesMax` bytes; undefined when there is no such file. Never follows a symlink, never blocks on a device. */
  readTail(path: string, bytesMax: number): Promise<Uint8Array | undefined>;
  /** Gives everything beneath to a group, readable (and writable) by it; `unlessRight`: not if the folder itself is the group's already (OnRootMismatch). */
  setGroup(path: string, group: number, readOnly: boolean, unlessRight?: boolean): Promise<void>;
  mountTmpfs(path: string, bytesMax: number): Promise<void>;
  /** Mounts read-only, without programs, devices or set-user-ids; once. */
  mountReadOnly(mount: { readonly type: string; readonly source: string; readonly options: readonly string[] }, target: string): Promise<void>;
  /** Mounts what lies at `subPath` beneath `root` on `target`, without ever leaving `root` through a symlink; makes a missing folder. */
  bindBeneath(root: string, subPath: string, target: string): Promise<void>;
  /** Checks (and for `…OrCreate` makes) a hostPath; throws with upstream's message. */
  checkHostPath(path: string, type: string): Promise<void>;
  /** Unmounts everything mounted beneath and removes all. */
  removeTree(path: string): Promise<void>;
  list(folder: string): Promise<readonly string[]>;
  size(path: string): Promise<number>;
  rename(from: string, to: string): Promise<void>;
}

/** Cgroups of pods, beneath `cgroupRoot`. */
export interface Cgroups {
  /** `grow` only raises what is there; `exact` also lowers and lifts limits. */
  apply(parent: string, limits: PodLimits, how: "grow" | "exact"): Promise<void>;
  remove(parent: string): Promise<void>;
  /** Names of the pods' cgroups that exist (`pod<uid>`), with their parents. */
  list(): Promise<readonly string[]>;
}

/** Connections that the node opens to its pods. */
export interface Connector {
  /** Local redirects are followed; the body is cut at 10 KiB. */
  http(request: HttpProbe): Promise<{ readonly status: number; readonly body: string; readonly redirectedElsewhere?: boolean }>;
  /** Resolves when the connection was accepted. */
  tcp(host: string, port: number, timeoutMs: number): Promise<void>;
  /** The answer of grpc.health.v1.Health/Check: `SERVING` and its kind. */
  grpc(host: string, port: number, service: string, timeoutMs: number): Promise<string>;
}
export type HttpProbe = { readonly scheme: "http" | "https"; readonly host: string; readonly port: number; readonly path: string; readonly headers: readonly (readonly [string, string])[]; readonly timeoutMs: number };

/** Ports of pods on the node's own addresses. */
export interface HostPorts {
  open(podUID: string, podIPs: readonly string[], ports: readonly { readonly protocol: number; readonly hostPort: number; readonly containerPort: number; readonly hostIP: string }[]): Promise<void>;
  close(podUID: string): Promise<void>;
}

/** What stands between pods. */
export interface PodGate {
  /** Resolves when whatever restricts this new pod is in force; nothing of it runs before. */
  admit(pod: Pod, ips: readonly string[]): Promise<void>;
  release(podUID: string): void;
}

export type NodeHost = { readonly files: Files; readonly cgroups: Cgroups; readonly connector: Connector; readonly hostPorts: HostPorts; readonly gate: PodGate };

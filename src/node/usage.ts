/** What a node can measure of itself and its pods. `host/usage.ts` reads it from the kernel's files; simulated nodes make it up from annotations. */

/** Counters and gauges of one cgroup, everything beneath it included. Bytes, nanoseconds, counts. */
export type CgroupUsage = {
  readonly cpuNanos: number;
  readonly cpuUserNanos: number;
  readonly cpuSystemNanos: number;
  readonly memory: MemoryUsage;
  readonly disks: readonly DiskIo[];
  readonly processes: number;
  readonly throttled: { readonly periods: number; readonly throttledPeriods: number; readonly nanos: number };
  /** What it may use; absent where there is no limit. */
  readonly limits: { readonly cpuShares: number; readonly cpuPeriod: number; readonly cpuQuota?: number; readonly memory?: number };
};
export type MemoryUsage = {
  readonly usage: number;
  /** Usage without the file cache that has not been touched lately: what cannot be taken away without harm. */
  readonly workingSet: number;
  readonly rss: number;
  readonly cache: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
  /** How often a limit was run into. */
  readonly failures: number;
  /** Absent where the kernel does not account for it. */
  readonly swap?: number;
};
/** What has been read from and written to one device, `/dev/sda`. */
export type DiskIo = { readonly device: string; readonly readBytes: number; readonly reads: number; readonly writeBytes: number; readonly writes: number };
export type NetworkUsage = { readonly name: string; readonly rxBytes: number; readonly rxErrors: number; readonly rxPackets: number; readonly rxDropped: number; readonly txBytes: number; readonly txErrors: number; readonly txPackets: number; readonly txDropped: number };
export type DiskUsage = { readonly available: number; readonly capacity: number; readonly used: number; readonly inodes: number; readonly inodesFree: number };
export type FolderSize = { readonly bytes: number; readonly inodes: number };
export type MachineUsage = {
  readonly cpuNanos: number;
  readonly memory: Omit<MemoryUsage, "failures">;
  readonly memoryCapacity: number;
  readonly cpus: number;
  readonly networks: readonly NetworkUsage[];
  readonly processes: number;
  readonly processesMax: number;
  /** Milliseconds since the epoch. */
  readonly bootedAt: number;
};

/** Reads what is now; nothing is kept between two calls. What is gone meanwhile is `undefined`, never an error. */
export interface Meter {
  cgroup(path: string): CgroupUsage | undefined;
  /** Interfaces in the network namespace of this cgroup's processes. */
  networks(path: string): readonly NetworkUsage[];
  machine(): MachineUsage;
  disk(path: string): Promise<DiskUsage>;
  /** Bytes allocated beneath a folder on its own file system, as `du -x` counts. */
  size(path: string): Promise<FolderSize>;
}

/** What the kernel counts: cgroup files of either version, /proc, file systems. */
import { existsSync, readFileSync } from "node:fs";
import { lstat, opendir, statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { CgroupUsage, DiskIo, DiskUsage, FolderSize, MachineUsage, MemoryUsage, Meter, NetworkUsage } from "../node/usage.ts";
import { cgroupLayout } from "./cgroups.ts";

type Layout = ReturnType<typeof cgroupLayout>;
/** Limits of v1 that stand for "none" are the largest page-aligned number. */
const unlimitedBytes = 2 ** 62;

export function linuxMeter(layout: Layout = cgroupLayout()): Meter {
  const places = v1Places(layout);
  const unified = layout.version === 2 ? (layout.hierarchies[0]?.path ?? "/sys/fs/cgroup") : undefined;
  return {
    cgroup: path => (unified === undefined ? cgroupV1(places, path) : cgroupV2(`${unified}${path}`)),
    networks: path => networksOf(`${unified ?? places.memory}${path}`),
    machine: () => machineUsage(places, unified),
    disk: diskUsage, size: path => folderSize(path),
  };
}

type Places = { readonly cpu: string; readonly cpuacct: string; readonly memory: string; readonly pids: string; readonly blkio: string };
function v1Places({ hierarchies }: Layout): Places {
  const at = (controller: string): string => hierarchies.find(({ controllers }) => controllers.includes(controller))?.path ?? "";
  return { cpu: at("cpu"), cpuacct: at("cpuacct"), memory: at("memory"), pids: at("pids"), blkio: at("blkio") };
}

function cgroupV1({ cpu, cpuacct, memory, pids, blkio }: Places, path: string): CgroupUsage | undefined {
  const total = text(`${cpuacct}${path}/cpuacct.usage`);
  const stat = text(`${memory}${path}/memory.stat`);
  if (total === undefined || stat === undefined) return undefined;
  const figures = table(stat);
  const times = table(text(`${cpuacct}${path}/cpuacct.stat`));
  const throttling = table(text(`${cpu}${path}/cpu.stat`));
  const usage = number(text(`${memory}${path}/memory.usage_in_bytes`));
  const quota = number(text(`${cpu}${path}/cpu.cfs_quota_us`), -1);
  const most = number(text(`${memory}${path}/memory.limit_in_bytes`), unlimitedBytes);
  return {
    cpuNanos: Number(total), cpuUserNanos: (times["user"] ?? 0) * tickNanos, cpuSystemNanos: (times["system"] ?? 0) * tickNanos,
    memory: memoryOf(usage, { inactive: figures["total_inactive_file"], rss: figures["total_rss"], cache: figures["total_cache"], faults: figures["total_pgfault"], major: figures["total_pgmajfault"], swap: figures["total_swap"] }, number(text(`${memory}${path}/memory.failcnt`))),
    disks: blkio === "" ? [] : parseBlkio(text(`${blkio}${path}/blkio.throttle.io_service_bytes_recursive`) ?? "", text(`${blkio}${path}/blkio.throttle.io_serviced_recursive`) ?? "", deviceName),
    processes: number(text(`${pids}${path}/pids.current`)),
    throttled: { periods: throttling["nr_periods"] ?? 0, throttledPeriods: throttling["nr_throttled"] ?? 0, nanos: throttling["throttled_time"] ?? 0 },
    limits: { cpuShares: number(text(`${cpu}${path}/cpu.shares`)), cpuPeriod: number(text(`${cpu}${path}/cpu.cfs_period_us`)), ...(quota > 0 && { cpuQuota: quota }), ...(most < unlimitedBytes && { memory: most }) },
  };
}

function cgroupV2(folder: string): CgroupUsage | undefined {
  const cpu = text(`${folder}/cpu.stat`);
  const stat = text(`${folder}/memory.stat`);
  if (cpu === undefined || stat === undefined) return undefined;
  const times = table(cpu);
  const figures = table(stat);
  const [quota = "max", period = "100000"] = (text(`${folder}/cpu.max`) ?? "").trim().split(" ");
  const most = (text(`${folder}/memory.max`) ?? "max").trim();
  return {
    cpuNanos: (times["usage_usec"] ?? 0) * 1000, cpuUserNanos: (times["user_usec"] ?? 0) * 1000, cpuSystemNanos: (times["system_usec"] ?? 0) * 1000,
    memory: memoryOf(number(text(`${folder}/memory.current`)), { inactive: figures["inactive_file"], rss: figures["anon"], cache: figures["file"], faults: figures["pgfault"], major: figures["pgmajfault"], swap: optional(text(`${folder}/memory.swap.current`)) }, table(text(`${folder}/memory.events`))["max"] ?? 0),
    disks: parseIoStat(text(`${folder}/io.stat`) ?? "", deviceName),
    processes: number(text(`${folder}/pids.current`)),
    throttled: { periods: times["nr_periods"] ?? 0, throttledPeriods: times["nr_throttled"] ?? 0, nanos: (times["throttled_usec"] ?? 0) * 1000 },
    // The kernel's scale of 1 to 10,000 back to shares from 2 to 262,144.
    limits: { cpuShares: 2 + Math.floor(((number(text(`${folder}/cpu.weight`), 1) - 1) * 262_142) / 9999), cpuPeriod: Number(period), ...(quota !== "max" && { cpuQuota: Number(quota) }), ...(most !== "max" && { memory: Number(most) }) },
  };
}

type Figures = { readonly [name in "inactive" | "rss" | "cache" | "faults" | "major"]: number | undefined } & { readonly swap?: number | undefined };
function memoryOf(usage: number, { inactive = 0, rss = 0, cache = 0, faults = 0, major = 0, swap }: Figures, failures: number): MemoryUsage {
  return { usage, workingSet: Math.max(0, usage - inactive), rss, cache, pageFaults: faults, majorPageFaults: major, failures, ...(swap === undefined ? {} : { swap }) };
}

function machineUsage(places: Places, unified: string | undefined): MachineUsage {
  const meminfo = table((text("/proc/meminfo") ?? "").replaceAll(":", ""));
  const bytes = (name: string): number => (meminfo[name] ?? 0) * 1024;
  const root = unified === undefined ? cgroupV1(places, "") : undefined;
  const figures = table(text(`${unified}/memory.stat`));
  // The root of version 2 has no memory.current: what is not free is used.
  const used = bytes("MemTotal") - bytes("MemFree");
  const booted = /^btime (\d+)/m.exec(text("/proc/stat") ?? "")?.[1];
  return {
    cpuNanos: root?.cpuNanos ?? (table(text(`${unified}/cpu.stat`))["usage_usec"] ?? 0) * 1000,
    memory: root?.memory ?? memoryOf(used, { inactive: figures["inactive_file"], rss: figures["anon"], cache: figures["file"], faults: figures["pgfault"], major: figures["pgmajfault"] }, 0),
    memoryCapacity: bytes("MemTotal"), cpus: availableParallelism(), networks: parseNetworks(text("/proc/net/dev") ?? ""),
    processes: Number(/\/(\d+)/.exec(text("/proc/loadavg") ?? "")?.[1] ?? 0), processesMax: Math.min(number(text("/proc/sys/kernel/pid_max")), number(text("/proc/sys/kernel/threads-max"), Infinity)), bootedAt: Number(booted ?? 0) * 1000,
  };
}

const optional = (value: string | undefined): number | undefined => (value === undefined ? undefined : Number(value));

/** Version 2's io.stat: `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 …`. `name` gives a device's, undefined for one that is gone. */
export function parseIoStat(stat: string, name: (device: string) => string | undefined): readonly DiskIo[] {
  return stat.split("\n").flatMap(line => {
    const [number = "", ...pairs] = line.split(" ");
    const device = number === "" ? undefined : name(number);
    const figures = new Map(pairs.map(pair => pair.split("=", 2) as [string, string]));
    const value = (key: string): number => Number(figures.get(key) ?? 0);
    return device === undefined ? [] : [{ device, readBytes: value("rbytes"), reads: value("rios"), writeBytes: value("wbytes"), writes: value("wios") }];
  });
}
/** Version 1: lines of `8:0 Read 4096`, bytes and operations in two files. */
export function parseBlkio(bytes: string, operations: string, name: (device: string) => string | undefined): readonly DiskIo[] {
  const read = (file: string): ReadonlyMap<string, number> => new Map(file.split("\n").map(line => line.split(" ")).filter(fields => fields.length === 3).map(([device, what, value]) => [`${device} ${what}`, Number(value)]));
  const [sizes, counts] = [read(bytes), read(operations)];
  return [...new Set([...sizes.keys()].map(key => key.split(" ", 1)[0] ?? ""))].flatMap(number => {
    const device = name(number);
    return device === undefined ? [] : [{ device, readBytes: sizes.get(`${number} Read`) ?? 0, reads: counts.get(`${number} Read`) ?? 0, writeBytes: sizes.get(`${number} Write`) ?? 0, writes: counts.get(`${number} Write`) ?? 0 }];
  });
}
function deviceName(number: string): string | undefined {
  const [, name] = /^DEVNAME=(.+)$/m.exec(text(`/sys/dev/block/${number}/uevent`) ?? "") ?? [];
  return name === undefined ? undefined : `/dev/${name}`;
}

function networksOf(folder: string): readonly NetworkUsage[] {
  const pid = firstProcess(folder);
  return pid === undefined ? [] : parseNetworks(text(`/proc/${pid}/net/dev`) ?? "");
}
function firstProcess(folder: string): string | undefined {
  const first = text(`${folder}/cgroup.procs`)?.split("\n")[0];
  return first === "" ? undefined : first;
}

/** The kernel's table of interfaces; loopback left out. */
export function parseNetworks(dev: string): readonly NetworkUsage[] {
  return dev.split("\n").flatMap(line => {
    const [, name, rest] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined || name === "lo") return [];
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0, , , , , txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = rest.split(/\s+/).map(Number);
    return [{ name, rxBytes, rxErrors, rxPackets, rxDropped, txBytes, txErrors, txPackets, txDropped }];
  });
}

async function diskUsage(path: string): Promise<DiskUsage> {
  const { blocks, bavail, bfree, bsize, files, ffree } = await statfs(path);
  return { available: bavail * bsize, capacity: blocks * bsize, used: (blocks - bfree) * bsize, inodes: files, inodesFree: ffree };
}

/** Hard links are counted once; another file system mounted beneath is not entered. */
async function folderSize(path: string): Promise<FolderSize> {
  const root = await lstat(path).catch(absent);
  if (root === undefined) return { bytes: 0, inodes: 0 };
  let [bytes, inodes] = [root.blocks * 512, 1];
  const linked = new Set<number>();
  const waiting = root.isDirectory() ? [path] : [];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const entries = await opendir(folder).catch(absent);
    if (entries === undefined) continue;
    for await (const entry of entries) {
      const at = `${folder}/${entry.name}`;
      const found = await lstat(at).catch(absent);
      if (found === undefined || found.dev !== root.dev) continue;
      if (found.nlink > 1 && !found.isDirectory()) {
        if (linked.has(found.ino)) continue;
        linked.add(found.ino);
      }
      bytes += found.blocks * 512;
      inodes++;
      if (found.isDirectory()) waiting.push(at);
    }
  }
  return { bytes, inodes };
}

const tickNanos = 10_000_000;

/** Files of a cgroup go with it: absent is an answer. */
function text(path: string): string | undefined {
  try {
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  } catch (error) {
    return absent(error);
  }
}
function absent(error: unknown): undefined {
  if (["ENOENT", "ENODEV", "ENOTDIR", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
  throw error;
}
function number(content: string | undefined, otherwise = 0): number {
  const value = Number((content ?? "").trim() || NaN);
  return Number.isNaN(value) ? otherwise : value;
}
/** `name value` lines. */
function table(content: string | undefined): { readonly [name: string]: number | undefined } {
  return Object.fromEntries((content ?? "").split("\n").flatMap(line => {
    const [name = "", value] = line.trim().split(/\s+/);
    return value === undefined ? [] : [[name, Number(value)]];
  }));
}

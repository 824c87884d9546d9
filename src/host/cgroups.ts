/** Pods' cgroups, in every hierarchy of version 1 or in the one of version 2. */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rmdir, writeFile } from "node:fs/promises";
import type { Cgroups } from "../node/host.ts";
import type { PodLimits } from "../node/resources.ts";

type Hierarchy = { readonly path: string; readonly controllers: readonly string[] };
type Layout = { readonly version: 1 | 2; readonly hierarchies: readonly Hierarchy[] };

/** Tries at removing a cgroup whose last process is still being reaped. */
const removeTriesMax = 50;
const removeWaitMs = 20;

/** Where cgroups are mounted on this machine. A v2 mount beside v1 counts as one more place to clear up, not as the layout. */
export function cgroupLayout(mountinfo = readFileSync("/proc/self/mountinfo", "utf8")): Layout {
  const mounts = mountinfo.split("\n").map(line => line.split(" ")).filter(fields => fields.includes("-"));
  const typed = mounts.map(fields => ({ path: fields[4]!, type: fields[fields.indexOf("-") + 1]!, options: (fields[fields.indexOf("-") + 3] ?? "").split(",") }));
  const v1 = typed.filter(({ type }) => type === "cgroup").map(({ path, options }) => ({ path, controllers: options }));
  const v2 = typed.filter(({ type }) => type === "cgroup2").map(({ path }) => ({ path, controllers: ["unified"] }));
  return v1.some(({ controllers }) => controllers.includes("memory")) ? { version: 1, hierarchies: [...v1, ...v2] } : { version: 2, hierarchies: v2 };
}

/** `root` is the cluster's own: `/timonier-<name>`. */
export function linuxCgroups(root: string, layout = cgroupLayout()): Cgroups {
  return {
    apply: (parent, limits, how) => (layout.version === 1 ? applyV1(layout, parent, limits, how) : applyV2(layout, parent, limits, how)),
    remove: parent => removeEverywhere(layout, parent),
    list: async () => {
      const found = new Set<string>();
      for (const { path } of layout.hierarchies)
        for (const parent of [root, `${root}/burstable`, `${root}/besteffort`])
          for (const name of await names(`${path}${parent}`)) if (name.startsWith("pod")) found.add(`${parent}/${name}`);
      return [...found];
    },
  };
}

/** A number to write, -1 for no limit; undefined: leave what is there. */
function limitFor(wanted: number | undefined, current: string, how: "grow" | "exact"): number | undefined {
  const now = current === "max" ? Infinity : Number(current) < 0 ? Infinity : Number(current);
  if (how === "exact") return wanted ?? -1;
  return (wanted ?? Infinity) > now ? wanted ?? -1 : undefined;
}

async function applyV1({ hierarchies }: Layout, parent: string, limits: PodLimits, how: "grow" | "exact"): Promise<void> {
  const folder = async (controller: string): Promise<string | undefined> => {
    const found = hierarchies.find(({ controllers }) => controllers.includes(controller));
    if (!found) return undefined;
    await mkdir(`${found.path}${parent}`, { recursive: true });
    return `${found.path}${parent}`;
  };
  const cpu = await folder("cpu");
  if (cpu) {
    await writeFile(`${cpu}/cpu.shares`, String(limits.cpuShares));
    if (parent.includes("/besteffort/")) await writeFile(`${cpu}/../cpu.shares`, "2");
    if (existsSync(`${cpu}/cpu.cfs_quota_us`)) {
      const quota = limitFor(limits.cpuQuota, readFileSync(`${cpu}/cpu.cfs_quota_us`, "utf8").trim(), how);
      await writeFile(`${cpu}/cpu.cfs_period_us`, String(limits.cpuPeriod ?? 100_000));
      if (quota !== undefined) await writeFile(`${cpu}/cpu.cfs_quota_us`, String(quota));
    }
  }
  const memory = await folder("memory");
  if (memory) {
    const bytes = limitFor(limits.memory, readFileSync(`${memory}/memory.limit_in_bytes`, "utf8").trim(), how);
    if (bytes !== undefined) await writeFile(`${memory}/memory.limit_in_bytes`, String(bytes));
  }
  await folder("pids");
}

async function applyV2({ hierarchies }: Layout, parent: string, limits: PodLimits, how: "grow" | "exact"): Promise<void> {
  const base = hierarchies[0]?.path;
  if (base === undefined) throw new Error("no cgroup hierarchy is mounted");
  const parts = parent.split("/").filter(Boolean);
  for (let depth = 0; depth < parts.length; depth++) {
    const above = [base, ...parts.slice(0, depth)].join("/");
    const available = readFileSync(`${above}/cgroup.controllers`, "utf8").trim().split(" ");
    for (const controller of ["cpu", "cpuset", "io", "memory", "pids"]) if (available.includes(controller)) await writeFile(`${above}/cgroup.subtree_control`, `+${controller}`);
    await mkdir(`${above}/${parts[depth]}`, { recursive: true });
  }
  const folder = `${base}${parent}`;
  // The kernel's scale is 1 to 10,000 where shares go from 2 to 262,144.
  await writeFile(`${folder}/cpu.weight`, String(1 + Math.floor(((limits.cpuShares - 2) * 9999) / 262_142)));
  const quota = limitFor(limits.cpuQuota, readFileSync(`${folder}/cpu.max`, "utf8").split(" ")[0] ?? "max", how);
  if (quota !== undefined) await writeFile(`${folder}/cpu.max`, `${quota < 0 ? "max" : quota} ${limits.cpuPeriod ?? 100_000}`);
  const bytes = limitFor(limits.memory, readFileSync(`${folder}/memory.max`, "utf8").trim(), how);
  if (bytes !== undefined) await writeFile(`${folder}/memory.max`, bytes < 0 ? "max" : String(bytes));
}

/** Removes a cgroup and all beneath it, wherever it is; the runtime leaves pods' own behind. */
export async function removeEverywhere({ hierarchies }: Layout, parent: string): Promise<void> {
  if (!/^\/[^/]/.test(parent) || parent.split("/").includes("..")) throw new Error(`not a cgroup of ours: ${parent}`);
  for (const { path } of hierarchies) await removeCgroup(`${path}${parent}`);
}
async function removeCgroup(folder: string): Promise<void> {
  for (const name of await names(folder)) await removeCgroup(`${folder}/${name}`);
  for (let tries = 1; ; tries++)
    try {
      await rmdir(folder);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return;
      if (code !== "EBUSY" || tries >= removeTriesMax) throw error;
      await new Promise(done => setTimeout(done, removeWaitMs));
    }
}
async function names(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder, { withFileTypes: true })).filter(entry => entry.isDirectory()).map(entry => entry.name);
  } catch (error) {
    if (["ENOENT", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

/** What this Linux machine is, for the Node object. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { availableParallelism, arch, release } from "node:os";
import type { MachineFacts } from "../node/machine.ts";

/** `boot` and `share` tell nodes of one machine apart: what a reboot is to them, and their names. */
export async function machineFacts(hostname: string, addresses: readonly string[], dataDir: string, boot: string, share?: string): Promise<MachineFacts> {
  const memory = text("/proc/meminfo");
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(memory)?.[1] ?? 0);
  const disk = await statfs(dataDir);
  const shared = text("/etc/machine-id").trim();
  const machineID = share === undefined ? shared : createHash("sha256").update(`${shared} ${share}`).digest("hex").slice(0, 32);
  const architecture = arch();
  return {
    hostname, addresses, architecture: architecture === "x64" ? "amd64" : architecture, kernelVersion: release(), osImage: /^PRETTY_NAME="?([^"\n]*)"?/m.exec(text("/etc/os-release"))?.[1] ?? "Linux",
    machineID, systemUUID: (share === undefined ? text("/sys/class/dmi/id/product_uuid").trim() : "") || machineID, bootID: boot, cpus: availableParallelism(),
    memoryBytes: kilobytes("MemTotal") * 1024, swapBytes: kilobytes("SwapTotal") * 1024, ephemeralBytes: disk.blocks * disk.bsize, hugepages: hugepages(),
  };
}

function hugepages(): { readonly [size: string]: number } {
  const root = "/sys/kernel/mm/hugepages";
  return Object.fromEntries(names(root).map(name => {
    const kilobytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0);
    const size = kilobytes % 2 ** 20 === 0 ? `${kilobytes / 2 ** 20}Gi` : kilobytes % 1024 === 0 ? `${kilobytes / 1024}Mi` : `${kilobytes}Ki`;
    return [size, kilobytes * 1024 * Number(text(`${root}/${name}/nr_hugepages`))];
  }));
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "EACCES", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}
function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** The cluster as its file says, at the addresses that this machine has now; and a restart of the process when they change (P28). */
import { readFile } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { atPresentAddress } from "../cli/cluster.ts";
import type { Cluster } from "../cli/machine.ts";
import { assignedAddresses, primaryAddress } from "../host/machine.ts";

/** Node tells of no change of an interface: this is how often we look, at the cost of one system call. */
const lookEveryMs = 5_000;

export async function clusterAsKept(dataFolder: string): Promise<Cluster> {
  return { ...(JSON.parse(await readFile(`${dataFolder}/cluster.json`, "utf8")) as Cluster), dataFolder };
}
export async function presentCluster(dataFolder: string): Promise<Cluster> {
  return atPresentAddress(await clusterAsKept(dataFolder), assignedAddresses(), primaryAddress());
}

/** Resolves once another start would use other addresses, twice in a row, so that a lease being renewed is no move; or when `signal` aborts. */
export async function moved(cluster: Cluster, { clock, log }: { readonly clock: Clock; readonly log: Log }, signal: AbortSignal): Promise<boolean> {
  for (let before: string | undefined; !signal.aborted; ) {
    await clock.sleep(lookEveryMs, signal);
    const now = atPresentAddress(cluster, assignedAddresses(), primaryAddress());
    if (now !== cluster && before === (now.advertise ?? "")) {
      log.warn("this machine has another address now: starting again with it", { was: cluster.advertise ?? "none", is: now.advertise ?? "none" });
      return true;
    }
    before = now === cluster ? undefined : now.advertise ?? "";
  }
  return false;
}

import { UsageError } from "./args.ts";
import { clusterFlags, loadCluster, placeOf, saveCluster } from "./cluster.ts";
import type { Command } from "./command.ts";
import { Progress } from "./progress.ts";
import { stopAgents } from "./starting.ts";

export const deleteCluster: Command = {
  name: "delete",
  doc: "remove the cluster with everything it made",
  flags: clusterFlags,
  async run(args, machine, parts) {
    if (args.rest.length > 0) throw new UsageError(`delete takes no arguments: "${args.rest.join(" ")}" (name a cluster with --name)`);
    const place = placeOf(machine, args);
    if (!(await machine.exists(place.dataFolder)) && !(await machine.exists(place.runFolder))) {
      machine.out(`There is no cluster "${place.name}" in ${place.root}: nothing to delete.\n`);
      return 0;
    }
    const lock = await machine.lock(`${place.root}/${place.name}.lock`);
    if (!lock.ok) throw new UsageError(`another timonier command works on cluster "${place.name}" (${lock.holder}): wait for it, then run this again`);
    try {
      const progress = new Progress(machine);
      // A cluster.json that cannot be read must not keep anybody from deleting.
      const cluster = await loadCluster(machine, place).catch((error: unknown) => { machine.err(`${String(error)}\n`); return undefined; });
      if (cluster && cluster.runtime === "containerd" && machine.uid !== 0) throw new UsageError(`cluster "${place.name}" has real containers: run this as root (sudo)`);
      // On a full disk it goes on without a note of what it was about.
      if (cluster) await saveCluster(machine, { ...cluster, state: "deleting" }).catch((error: unknown) => { if (!isFull(error)) throw error; });
      if (cluster) await stopAgents(cluster, machine, progress, 5_000, 0);
      else await progress.step("node agent stopped", () => machine.stopDaemon("agent", place.runFolder, 5_000));
      await progress.step("server stopped", () => machine.stopDaemon("server", place.runFolder, 5_000));
      await machine.stopDaemon("ingress", place.runFolder, 5_000);
      if (cluster?.runtime === "containerd") await progress.step("containers, namespaces, interfaces, mounts removed", () => parts.removeWorkloads(cluster, line => progress.note(line)));
      const files = await parts.removeKubeconfig({ context: place.context, dataFolder: place.dataFolder, path: cluster?.kubeconfig });
      for (const file of files) progress.note(`context "${place.context}" removed from ${file}`);
      await progress.step("files removed", async () => {
        await machine.remove(place.dataFolder);
        await machine.remove(place.runFolder);
        await machine.removeEmpty(place.runFolder.slice(0, place.runFolder.lastIndexOf("/")));
      });
      machine.out(`Cluster "${place.name}" is gone. Packages from the distribution stay installed.\n`);
      return 0;
    } finally {
      await lock.release();
      await machine.removeEmpty(place.root);
    }
  },
};

function isFull(error: unknown): boolean {
  return error instanceof Error && (("code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT")) || isFull(error.cause));
}

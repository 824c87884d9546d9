import { UsageError } from "./args.ts";
import { clusterFlags, layOut, loadCluster, placeOf, saveCluster } from "./cluster.ts";
import type { Command } from "./command.ts";

export const dev: Command = {
  name: "dev",
  doc: "run a cluster with simulated nodes in the foreground until Ctrl-C",
  flags: [
    ...clusterFlags.map(flag => (flag.name === "name" ? { ...flag, default: "dev" } : flag)),
    { name: "nodes", type: "number", default: 2, doc: "number of simulated nodes" },
    { name: "port", type: "number", doc: "port of the API server (default 6443, or the next free one)" },
  ],
  async run(args, machine, parts) {
    if (args.rest.length > 0) throw new UsageError(`dev takes no arguments: "${args.rest.join(" ")}"`);
    const place = placeOf(machine, args);
    const known = await loadCluster(machine, place);
    if (known && (await machine.daemon("server", known.runFolder))) throw new UsageError(`cluster "${place.name}" runs already in the background: stop it with "timonier down --name ${place.name}", or choose another --name`);
    const cluster = { ...(await layOut(machine, place, { ...args, values: { ...args.values, runtime: "simulated" } })), state: "made" as const };
    await saveCluster(machine, cluster);
    let kubeconfig: string | undefined;
    try {
      return await parts.foreground(cluster, async () => {
        kubeconfig = await parts.mergeKubeconfig({ context: cluster.context, server: `https://${cluster.listen[0]}:${cluster.port}`, dataFolder: cluster.dataFolder });
        machine.out(`Cluster "${cluster.name}" with ${cluster.nodes} simulated nodes: https://${cluster.listen[0]}:${cluster.port}\nkubectl now uses context "${cluster.context}"; try "kubectl get pods -A". Ctrl-C ends and removes it.\n`);
      });
    } finally {
      if (kubeconfig) await parts.removeKubeconfig({ context: cluster.context, dataFolder: cluster.dataFolder, path: kubeconfig });
      await machine.remove(cluster.dataFolder);
      await machine.remove(cluster.runFolder);
      await machine.removeEmpty(place.root);
    }
  },
};

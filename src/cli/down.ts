import { UsageError } from "./args.ts";
import { clusterFlags, daemonsOf, existingCluster } from "./cluster.ts";
import type { Command } from "./command.ts";
import { Progress } from "./progress.ts";
import { stopAgents } from "./starting.ts";
import { flagsFor } from "./up.ts";

export const down: Command = {
  name: "down",
  doc: "stop the control plane; pods keep running unless --stop-workloads",
  flags: [...clusterFlags, { name: "stop-workloads", type: "boolean", doc: "also end every pod and containerd" }],
  async run(args, machine, parts) {
    if (args.rest.length > 0) throw new UsageError(`down takes no arguments: "${args.rest.join(" ")}"`);
    const cluster = await existingCluster(machine, args);
    const progress = new Progress(machine);
    const daemons = daemonsOf(cluster);
    const running = (await Promise.all(daemons.map(({ name, runFolder }) => machine.daemon(name, runFolder)))).some(daemon => daemon !== undefined);
    if (!running && args.values["stop-workloads"] !== true) {
      machine.out(`Cluster "${cluster.name}" is not running. Start it with "timonier up${flagsFor(cluster)}".\n`);
      return 0;
    }
    await stopAgents(cluster, machine, progress, 10_000);
    await progress.step("server stopped", () => machine.stopDaemon("server", cluster.runFolder, 10_000));
    // What keeps running goes on being served; without pods there is nothing to serve.
    if (args.values["stop-workloads"] === true) await machine.stopDaemon("ingress", cluster.runFolder, 5_000);
    if (cluster.runtime === "containerd" && args.values["stop-workloads"] === true)
      await progress.step("workloads and containerd stopped", () => parts.stopWorkloads(cluster, line => progress.note(line)));
    machine.out(`Cluster "${cluster.name}" is stopped${cluster.runtime === "containerd" && args.values["stop-workloads"] !== true ? "; its pods and their ingress keep running" : ""}. "timonier up${flagsFor(cluster)}" starts it again.\n`);
    return 0;
  },
};

import { UsageError } from "./args.ts";
import { clusterFlags, daemonsOf, existingCluster } from "./cluster.ts";
import type { Command } from "./command.ts";
import { firewallLine } from "./firewall.ts";
import { ingressLine } from "./ingress.ts";
import { describe, flagsFor } from "./up.ts";

export const status: Command = {
  name: "status",
  doc: "say what runs, where and how large it is (exit code 3 when stopped)",
  flags: clusterFlags,
  async run(args, machine, parts) {
    if (args.rest.length > 0) throw new UsageError(`status takes no arguments: "${args.rest.join(" ")}"`);
    const cluster = await existingCluster(machine, args);
    const daemons = await Promise.all(daemonsOf(cluster).map(async ({ name, runFolder, member }) => ({ name, member, daemon: await machine.daemon(name, runFolder) })));
    const ingress = await ingressLine(machine, cluster);
    const firewall = await firewallLine(machine, cluster);
    const probe = daemons[0]?.daemon ? await parts.probe(cluster) : undefined;
    const registries = cluster.registries === undefined ? undefined : await parts.registriesProblem(cluster.registries);
    const lines = [
      ["Cluster", `${cluster.name} (${cluster.runtime}${cluster.nodes > 1 ? `, ${cluster.nodes} nodes` : ""})`],
      ["State", cluster.state === "deleting" ? `half deleted: finish with "timonier delete${flagsFor(cluster)}"` : probe ? "running" : daemons.some(({ daemon }) => daemon) ? "starting or not answering" : "stopped"],
      ["API", probe ? describe(cluster, probe) : `https://${cluster.listen[0]}:${cluster.port} (no answer)`],
      ...daemons.filter(({ member }) => !member).map(({ name, daemon }) => [name[0]!.toUpperCase() + name.slice(1), process(daemon)]),
      ...(ingress === undefined ? [] : [["Ingress", ingress]]),
      ...(firewall === undefined ? [] : [["Firewall", firewall]]),
      ...(cluster.runtime === "simulated" ? (probe?.nodes ?? []).slice(0, 10) : [cluster.nodeName, ...(cluster.members ?? []).map(({ name }) => name)].map(name => ({ name, ready: probe?.nodes.find(node => node.name === name)?.ready }))).map(({ name, ready }) => {
        const own = daemons.find(({ member }) => member?.name === name);
        return ["Node", `${name} ${ready === undefined ? "unknown" : ready ? "Ready" : "NotReady"}${own ? `, agent ${process(own.daemon)}` : ""}`];
      }),
      ...(cluster.registries === undefined ? [] : [["Images", registries === undefined ? `registries by ${cluster.registries}` : `${registries}: what the file said before counts until it is mended`]]),
      ["Context", `${cluster.context}${cluster.kubeconfig ? ` in ${cluster.kubeconfig}` : ""}`],
      ["Data", cluster.dataFolder],
    ] as const;
    for (const [name, value] of lines) machine.out(`${`${name}:`.padEnd(10)} ${value}\n`);
    if (!probe && cluster.state !== "deleting") machine.out(`\nStart it with "timonier up${flagsFor(cluster)}".\n`);
    return probe ? 0 : 3;
  },
};

function process(daemon: { readonly pid: number; readonly residentBytes: number; readonly ageSeconds: number } | undefined): string {
  return daemon ? `pid ${daemon.pid}, ${(daemon.residentBytes / 1e6).toFixed(0)} MB, up ${age(daemon.ageSeconds)}` : "not running";
}

function age(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

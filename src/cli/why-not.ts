import { UsageError } from "./args.ts";
import { clusterFlags, existingCluster } from "./cluster.ts";
import type { Command } from "./command.ts";
import { firewallLine } from "./firewall.ts";
import type { Reachability } from "./machine.ts";
import { flagsFor } from "./up.ts";

export const whyNot: Command = {
  name: "why-not",
  doc: "say what decides whether CLIENT reaches SERVER:PORT: names, services, endpoints, policies (exit code 3: it does not)",
  usage: "CLIENT SERVER:PORT\n\nCLIENT is a pod ([namespace/]name) or \"host\". SERVER is an address, a name as CLIENT would ask for it, svc/[namespace/]name or pod/[namespace/]name.",
  flags: [
    ...clusterFlags,
    { name: "namespace", short: "n", type: "string", default: "default", doc: "namespace of names without one" },
    { name: "protocol", type: "string", default: "TCP", doc: "TCP, UDP or SCTP" },
    { name: "output", short: "o", type: "string", doc: "json for machines" },
  ],
  async run(args, machine, parts) {
    const { values, rest: [client, target, ...more] } = args;
    if (client === undefined || target === undefined || more.length > 0) throw new UsageError(`why-not takes two arguments, such as "timonier why-not web-1 db:5432" or "timonier why-not host svc/db:5432"`);
    const [, bracketed, plain, port = ""] = /^(?:\[([^\]]+)\]|([^:]+)):([a-z0-9-]+)$/.exec(target) ?? [];
    const server = bracketed ?? plain;
    if (server === undefined || (/^\d+$/.test(port) && (Number(port) < 1 || Number(port) > 65_535))) throw new UsageError(`"${target}" is no SERVER:PORT: expected for instance db:5432, 10.96.0.10:53, [fd00::1]:80 or svc/shop/db:5432`);
    const protocol = String(values["protocol"]).toUpperCase();
    if (protocol !== "TCP" && protocol !== "UDP" && protocol !== "SCTP") throw new UsageError(`--protocol: "${String(values["protocol"])}" is none: expected TCP, UDP or SCTP`);
    const output = values["output"];
    if (output !== undefined && output !== "json") throw new UsageError(`--output: "${String(output)}" is not a form of output here: expected json, or nothing`);
    const cluster = await existingCluster(machine, args);
    if (!(await machine.daemon("server", cluster.runFolder))) throw new UsageError(`cluster "${cluster.name}" does not run: start it with "timonier up${flagsFor(cluster)}"`);
    const found = await parts.whyNot(cluster, { client, server, port, protocol, namespace: String(values["namespace"]) });
    if ("unknown" in found) throw new UsageError(`${found.unknown}: see "kubectl get pods,services -A"`);
    // What the machine itself sends is not forwarded.
    const firewall = client === "host" ? undefined : await firewallLine(machine, cluster);
    const answer = firewall === undefined ? found : { ...found, steps: [...found.steps, { step: "Firewall", result: "unknown" as const, detail: firewall }] };
    machine.out(output === "json" ? `${JSON.stringify(answer, null, 2)}\n` : render(answer));
    return answer.reachable === "No" ? 3 : 0;
  },
};

/** As `kubectl describe` lays things out. */
export function render({ client, server, reachable, steps }: Exclude<Reachability, { readonly unknown: string }>): string {
  const lines = [`Client:     ${client}`, `Server:     ${server}`, `Reachable:  ${reachable}`, "Steps:", `  ${"Step".padEnd(10)} ${"Result".padEnd(8)} Detail`, `  ${"----".padEnd(10)} ${"------".padEnd(8)} ------`];
  for (const { step, result, detail } of steps) lines.push(`  ${step.padEnd(10)} ${result.padEnd(8)} ${detail}`);
  const changes = steps.filter(({ result, change }) => change !== undefined && (result === "blocked" || reachable !== "No"));
  if (changes.length > 0) lines.push(reachable === "No" ? "To change it:" : "If it does not work all the same:", ...[...new Set(changes.map(({ change }) => `  ${change}`))]);
  return `${lines.join("\n")}\n`;
}

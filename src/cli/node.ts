import { UsageError } from "./args.ts";
import { clusterFlags, existingCluster, memberDaemon, saveCluster } from "./cluster.ts";
import type { Command } from "./command.ts";
import type { Cluster, Machine, Member, Parts } from "./machine.ts";
import { Progress } from "./progress.ts";
import { followDaemons } from "./starting.ts";

const actions = ["list", "stop", "start", "remove"] as const;

export const node: Command = {
  name: "node",
  doc: "list nodes; stop NAME as a power cut would, start NAME again, remove NAME for good",
  flags: clusterFlags,
  async run(args, machine, parts) {
    const [action = "list", name, ...more] = args.rest;
    if (!actions.some(each => each === action)) throw new UsageError(`node: "${action}" is no action: expected one of ${actions.join(", ")} ("timonier up --nodes N" adds nodes)`);
    if (more.length > 0 || (action === "list" && name !== undefined)) throw new UsageError(`node ${action}: too many words: "${[...(action === "list" ? [name] : []), ...more].join(" ")}"`);
    const cluster = await existingCluster(machine, args);
    if (cluster.runtime === "simulated") throw new UsageError(`cluster "${cluster.name}" has simulated nodes: there is nothing to stop or start (see "kubectl get nodes")`);
    if (action === "list") return list(cluster, machine, parts);
    const member = memberNamed(cluster, action, name);
    const lock = await machine.lock(`${cluster.dataFolder}.lock`);
    if (!lock.ok) throw new UsageError(`another timonier command works on cluster "${cluster.name}" (${lock.holder}): wait for it, then run this again`);
    try {
      const progress = new Progress(machine);
      if (action === "start") await start(cluster, member, machine, parts, progress);
      else {
        await progress.step(`node ${member.name} stopped`, async () => {
          await machine.stopDaemon("agent", memberDaemon(cluster, member).runFolder, 0);
          await parts.stopMember(cluster, member);
        });
        if (action === "remove")
          await progress.step(`node ${member.name} removed`, async () => {
            const members = cluster.members!.filter(({ index }) => index !== member.index);
            await parts.removeMember(cluster, member);
            await saveCluster(machine, { ...cluster, members, nodes: members.length + 1 });
          });
      }
    } finally {
      await lock.release();
    }
    return 0;
  },
};

function memberNamed(cluster: Cluster, action: string, name: string | undefined): Member {
  const members = cluster.members ?? [];
  const found = members.find(member => member.name === name);
  if (found) return found;
  if (name === cluster.nodeName) throw new UsageError(`node ${action} ${name}: this node is the machine itself, which also runs the control plane: "timonier down" stops it`);
  const known = members.length === 0 ? `cluster "${cluster.name}" has no nodes but the machine itself: add some with "timonier up --nodes 3"` : `expected one of ${members.map(member => member.name).join(", ")}`;
  throw new UsageError(name === undefined ? `node ${action} needs a name: ${known}` : `node ${action}: there is no node "${name}": ${known}`);
}

async function start(cluster: Cluster, member: Member, machine: Machine, parts: Parts, progress: Progress): Promise<void> {
  if (!(await machine.daemon("server", cluster.runFolder))) throw new UsageError(`cluster "${cluster.name}" does not run: start it with "timonier up"`);
  await parts.layNodeNetwork(cluster);
  await followDaemons({ ...cluster, members: [member] }, machine, progress, () => false, () => undefined);
}

async function list(cluster: Cluster, machine: Machine, parts: Parts): Promise<number> {
  const probe = await parts.probe(cluster);
  const rows = [["NAME", "STATUS", "PROCESS"]];
  for (const [name, runFolder] of [[cluster.nodeName, cluster.runFolder] as const, ...(cluster.members ?? []).map(member => [member.name, memberDaemon(cluster, member).runFolder] as const)]) {
    const ready = probe?.nodes.find(each => each.name === name)?.ready;
    const daemon = await machine.daemon("agent", runFolder);
    rows.push([name, ready === undefined ? "unknown" : ready ? "Ready" : "NotReady", daemon ? `pid ${daemon.pid}` : "stopped"]);
  }
  const width = Math.max(...rows.map(([name]) => name!.length));
  for (const [name, status, process] of rows) machine.out(`${name!.padEnd(width)}  ${status!.padEnd(8)}  ${process}\n`);
  return 0;
}

/** `timonier box`: makes a member's namespaces if need be, then becomes its agent in them. The keeper runs it again whenever either has ended. */
import type { Cluster, Member } from "../cli/machine.ts";
import { must } from "../base/assert.ts";
import { ensureBox, insideBox, type BoxSpec } from "../host/box.ts";
import { rememberFolders } from "../host/leftovers.ts";
import { layLinks } from "../host/node-links.ts";
import { pathsOf } from "../host/containerd-config.ts";
import { containerdSettings, gateways, gateways6, linkGateway, machineOwn, memberAddress, memberIPv6, nodePlace } from "./node-settings.ts";
import { clusterAsKept } from "./present-cluster.ts";

/** Does not return: the process becomes nsenter. */
export async function runBox(dataFolder: string, name: string): Promise<never> {
  const cluster = await clusterAsKept(dataFolder);
  const member = must(cluster.members?.find(each => each.name === name), `cluster ${cluster.id} has a node ${name}`);
  await rememberFolders(pathsOf(containerdSettings(cluster, nodePlace(cluster))).folders);
  await layNodeNetwork(cluster);
  const box = await ensureBox(boxSpec(cluster, member));
  const { file, args } = insideBox(box.pid, ourselves("agent", "--data-dir", dataFolder, "--node", name), process.env["PATH"] ?? "");
  return process.execve!(file, [file, ...args], process.env) as never;
}

export function boxSpec(cluster: Cluster, member: Member): BoxSpec {
  const place = nodePlace(cluster, member.name);
  return {
    cluster: cluster.id, index: member.index, link: member.link, address: memberAddress(cluster, member), ipv6: memberIPv6(cluster, member), gateway: linkGateway(cluster, member.link), hostname: member.name,
    dataFolder: place.dataFolder, runFolder: place.runFolder, path: process.env["PATH"] ?? "",
  };
}

/** The command line that starts this program once more. */
export function ourselves(...args: readonly string[]): readonly string[] {
  return [process.execPath, ...process.execArgv, process.argv[1]!, ...args];
}

export async function layNodeNetwork(cluster: Cluster): Promise<void> {
  if (cluster.nodeCIDR !== undefined && (cluster.members ?? []).length > 0)
    await layLinks({ cluster: cluster.id, nodeCIDR: cluster.nodeCIDR, podCIDR: cluster.podCIDR, gateways: gateways(cluster), own: machineOwn(cluster), ipv6: cluster.ipv6 && { ...cluster.ipv6, gateways: gateways6(cluster) } }, process.env["PATH"] ?? "");
}

/** What `timonier down --stop-workloads`, `delete` and `node` do on nodes: end their pods, and take away everything that was made for them. */
import type { Cluster, Member } from "../cli/machine.ts";
import { bootId } from "../host/boot-id.ts";
import { boxId, endBox, livingBox, runInside } from "../host/box.ts";
import { cgroupLayout, removeEverywhere } from "../host/cgroups.ts";
import { livingContainerd, stopContainerd } from "../host/containerd.ts";
import { networkName, pathsOf } from "../host/containerd-config.ts";
import { CriRuntime } from "../host/cri.ts";
import { programs, removeForwarding } from "../host/forwarding-rules.ts";
import { forgetFolders, removeLeftovers } from "../host/leftovers.ts";
import { linkTables, removeLinks } from "../host/node-links.ts";
import { removeTree } from "../host/node-files.ts";
import { removeTables } from "../host/nft.ts";
import { podTables, removeLocalRange, removeLoopbackAddress, restoreForwarding } from "../host/pod-network.ts";
import { setTimeout as wait } from "node:timers/promises";
import { messageOf, silent } from "../base/log.ts";
import { turns } from "../node/agent.ts";
import { endOrphan, removePod } from "../node/pod-end.ts";
import { boxSpec, ourselves } from "./box.ts";
import { agentPaths, clusterDNS, containerdSettings, forwardedNetworks, forwardingNote, loadBalancerAddresses, machineIPv6, nodePlace, policyTable, proxyTable } from "./node-settings.ts";
import { clusterAsKept } from "./present-cluster.ts";

const atOnce = 8;
/** A box's pods get this long to end before it is killed. */
const boxEndMs = 120_000;
const startingTriesMax = 20;
const startingPauseMs = 500;

/** Ends every pod of this cluster, gracefully, and its containerds. The agents must not run any more. */
export async function stopWorkloads(cluster: Cluster, say: (line: string) => void): Promise<void> {
  const settings = containerdSettings(cluster, nodePlace(cluster));
  await Promise.all([
    (async () => {
      if (livingContainerd(settings) !== undefined) await endPods(pathsOf(settings).socket, undefined, say);
      await stopContainerd(settings);
    })(),
    ...(cluster.members ?? []).map(async member => {
      const box = livingBox(boxSpec(cluster, member));
      if (box) {
        const { code, stderr } = await runInside(box.pid, ourselves("end-pods", "--data-dir", cluster.dataFolder, "--node", member.name), process.env["PATH"] ?? "", boxEndMs);
        if (code !== 0) say(`the pods of ${member.name} did not end by themselves: ${stderr.trim()}`);
      }
      await endBox(boxSpec(cluster, member));
    }),
  ]);
}

/** In a box: ends its pods, gracefully. */
export async function endPodsHere(dataFolder: string, node: string): Promise<number> {
  const cluster = await clusterAsKept(dataFolder);
  const place = nodePlace(cluster, node);
  const settings = { ...containerdSettings(cluster, place), boot: place.boxed ? boxId(place) : bootId() };
  if (livingContainerd(settings) !== undefined) await endPods(pathsOf(settings).socket, undefined, () => undefined);
  return 0;
}

/** Ends a member as a power cut would. */
export async function stopMember(cluster: Cluster, member: Member): Promise<void> {
  await endBox(boxSpec(cluster, member));
}
/** Takes away what a member that has ended leaves on the machine. */
export async function clearMember(cluster: Cluster, member: Member): Promise<void> {
  await endBox(boxSpec(cluster, member));
  const place = nodePlace(cluster, member.name);
  await removeEverywhere(cgroupLayout(), place.cgroupRoot);
  for (const folder of [place.dataFolder, place.runFolder]) await removeTree(folder);
}

/** Removes containers, namespaces, interfaces, mounts, cgroups, rules and files of this cluster; nothing else. Repeatable from any half-done state. */
export async function removeWorkloads(cluster: Cluster, say: (line: string) => void): Promise<void> {
  const place = nodePlace(cluster);
  const settings = containerdSettings(cluster, place);
  const at = agentPaths(cluster, place);
  await Promise.all((cluster.members ?? []).map(member => endBox(boxSpec(cluster, member))));
  if (livingContainerd(settings) !== undefined) await endPods(pathsOf(settings).socket, 1, say);
  await stopContainerd(settings);
  // What containerd could not end any more, or was not there to end.
  await removeLeftovers({ ...pathsOf(settings), network: networkName(cluster.id), runDir: cluster.runFolder });
  await removeTables([...podTables(cluster.id), ...(["ip", "ip6"] as const).flatMap(family => [proxyTable(cluster.id, family), policyTable(cluster.id, family)]), ...linkTables(cluster.id)]);
  await removeLinks(cluster.id, settings.path);
  await removeForwarding(cluster.id, forwardedNetworks(cluster), programs(settings.path));
  await removeLoopbackAddress(clusterDNS(cluster), settings.path);
  if (cluster.ipv6) await removeLoopbackAddress(machineIPv6(cluster.ipv6), settings.path);
  for (const pool of loadBalancerAddresses(cluster).pools) await removeLocalRange(pool, settings.path);
  restoreForwarding(forwardingNote(cluster, place), cluster.runFolder);
  await forgetFolders(pathsOf(settings).folders);
  await removeEverywhere(cgroupLayout(), at.cgroupRoot);
  for (const folder of [at.podsDir, at.memoryDir, at.logsDir, settings.dir, pathsOf(settings).state, pathsOf(settings).runc, pathsOf(settings).crun, pathsOf(settings).ipam, `${cluster.runFolder}/exec`, `${cluster.dataFolder}/nodes`]) await removeTree(folder);
}

/** Does it again while containerd still starts a container that an agent asked for: until then it neither stops nor removes it. */
export async function whileStarting(work: () => Promise<void>, pause: (ms: number) => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === startingTriesMax || !messageOf(error).includes("is in starting state")) throw error;
      await pause(startingPauseMs);
    }
  }
}

async function endPods(socket: string, graceSecondsMax: number | undefined, say: (line: string) => void): Promise<void> {
  const runtime = new CriRuntime(socket);
  const services = { runtime, log: silent, turn: turns(atOnce) };
  try {
    const { sandboxes, containers } = await runtime.list();
    const uids = [...new Set([...sandboxes, ...containers].map(({ podUID }) => podUID))];
    if (uids.length > 0) say(`ending ${uids.length} ${uids.length === 1 ? "pod" : "pods"}`);
    await Promise.all(uids.map(uid => whileStarting(async () => {
      await endOrphan(services, uid, await runtime.podState(uid), graceSecondsMax);
      await removePod(services, await runtime.podState(uid));
    }, wait)));
  } finally {
    runtime.close();
  }
}

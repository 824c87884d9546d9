/** What `timonier down --stop-workloads` and `timonier delete` do on a node: end its pods, and take away everything that was made for them. */
import type { Cluster } from "../cli/machine.ts";
import { cgroupLayout, removeEverywhere } from "../host/cgroups.ts";
import { livingContainerd, stopContainerd } from "../host/containerd.ts";
import { networkName, pathsOf } from "../host/containerd-config.ts";
import { CriRuntime } from "../host/cri.ts";
import { forgetFolders, removeLeftovers } from "../host/leftovers.ts";
import { removeTree } from "../host/node-files.ts";
import { removeTables } from "../host/nft.ts";
import { podTables, removeLocalRange, removeLoopbackAddress, restoreForwarding } from "../host/pod-network.ts";
import { silent } from "../base/log.ts";
import { turns } from "../node/agent.ts";
import { endOrphan, removePod } from "../node/pod-end.ts";
import { agentPaths, clusterDNS, containerdSettings, loadBalancerAddresses, policyTable, proxyTable } from "./node-settings.ts";

const atOnce = 8;

/** Ends every pod of this cluster, gracefully, and its containerd. The agent must not run any more. */
export async function stopWorkloads(cluster: Cluster, say: (line: string) => void): Promise<void> {
  const settings = containerdSettings(cluster);
  if (livingContainerd(settings) !== undefined) await endPods(cluster, undefined, say);
  await stopContainerd(settings);
}

/** Removes containers, namespaces, interfaces, mounts, cgroups, rules and files of this cluster; nothing else. Repeatable from any half-done state. */
export async function removeWorkloads(cluster: Cluster, say: (line: string) => void): Promise<void> {
  const settings = containerdSettings(cluster);
  const at = agentPaths(cluster);
  if (livingContainerd(settings) !== undefined) await endPods(cluster, 1, say);
  await stopContainerd(settings);
  // What containerd could not end any more, or was not there to end.
  await removeLeftovers({ ...pathsOf(settings), network: networkName(cluster.id), runDir: cluster.runFolder });
  await removeTables([...podTables(cluster.id), proxyTable(cluster.id), policyTable(cluster.id)]);
  await removeLoopbackAddress(clusterDNS(cluster), settings.path);
  for (const pool of loadBalancerAddresses(cluster).pools) await removeLocalRange(pool, settings.path);
  restoreForwarding(pathsOf(settings).machine);
  await forgetFolders(pathsOf(settings).folders);
  await removeEverywhere(cgroupLayout(), at.cgroupRoot);
  for (const folder of [at.podsDir, at.memoryDir, at.logsDir, settings.dir, pathsOf(settings).state, pathsOf(settings).runc, pathsOf(settings).crun, pathsOf(settings).ipam, `${cluster.runFolder}/exec`]) await removeTree(folder);
}

async function endPods(cluster: Cluster, graceSecondsMax: number | undefined, say: (line: string) => void): Promise<void> {
  const runtime = new CriRuntime(pathsOf(containerdSettings(cluster)).socket);
  const services = { runtime, log: silent, turn: turns(atOnce) };
  try {
    const { sandboxes, containers } = await runtime.list();
    const uids = [...new Set([...sandboxes, ...containers].map(({ podUID }) => podUID))];
    if (uids.length > 0) say(`ending ${uids.length} ${uids.length === 1 ? "pod" : "pods"}`);
    await Promise.all(uids.map(async uid => {
      await endOrphan(services, uid, await runtime.podState(uid), graceSecondsMax);
      await removePod(services, await runtime.podState(uid));
    }));
  } finally {
    runtime.close();
  }
}

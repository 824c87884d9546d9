/** Where a cluster's node keeps what: one place, for the agent and for what removes everything again. */
import type { Cluster } from "../cli/machine.ts";
import type { ContainerdSettings } from "../host/containerd-config.ts";

export function agentPaths(cluster: Pick<Cluster, "id" | "dataFolder" | "runFolder" | "nodeName">) {
  return {
    podsDir: `${cluster.dataFolder}/pods`, logsDir: `${cluster.dataFolder}/logs/pods`, memoryDir: `${cluster.runFolder}/volumes`, seccompDir: `${cluster.dataFolder}/seccomp`,
    cgroupRoot: `/timonier-${cluster.id}`, clientIdentity: `${cluster.dataFolder}/pki/nodes/${cluster.nodeName}/client.pem`, servingIdentity: `${cluster.dataFolder}/pki/nodes/${cluster.nodeName}/serving.pem`,
  };
}

export function containerdSettings(cluster: Pick<Cluster, "id" | "dataFolder" | "runFolder" | "podCIDR">): ContainerdSettings {
  return { name: cluster.id, dir: `${cluster.dataFolder}/containerd`, runDir: cluster.runFolder, podCIDRs: [nodePodCIDR(cluster)], path: process.env["PATH"] ?? "" };
}

/** The one node's share of the cluster's pod network: its first /24. */
export function nodePodCIDR({ podCIDR }: Pick<Cluster, "podCIDR">): string {
  const [address = "", size = "24"] = podCIDR.split("/");
  return Number(size) >= 24 ? podCIDR : `${address}/24`;
}

/** Where a cluster's node keeps what: one place, for the agent and for what removes everything again. */
import type { Cluster } from "../cli/machine.ts";
import type { LoadBalancerAddresses } from "../controllers/load-balancer-plan.ts";
import type { ContainerdSettings } from "../host/containerd-config.ts";

export function agentPaths(cluster: Pick<Cluster, "id" | "dataFolder" | "runFolder" | "nodeName">) {
  return {
    podsDir: `${cluster.dataFolder}/pods`, logsDir: `${cluster.dataFolder}/logs/pods`, memoryDir: `${cluster.runFolder}/volumes`, seccompDir: `${cluster.dataFolder}/seccomp`,
    cgroupRoot: `/timonier-${cluster.id}`, clientIdentity: `${cluster.dataFolder}/pki/nodes/${cluster.nodeName}/client.pem`, servingIdentity: `${cluster.dataFolder}/pki/nodes/${cluster.nodeName}/serving.pem`,
    proxyIdentity: `${cluster.dataFolder}/pki/nodes/${cluster.nodeName}/proxy.pem`,
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

/** Where LoadBalancer services are reached: the pools that were given, else the machine's address, else a few addresses that only this machine and its pods know. */
export function loadBalancerAddresses({ loadBalancerPools, advertise, podCIDR }: Pick<Cluster, "loadBalancerPools" | "advertise" | "podCIDR">): LoadBalancerAddresses {
  if (loadBalancerPools !== undefined) return { pools: loadBalancerPools, hosts: [] };
  if (advertise !== undefined) return { pools: [], hosts: [advertise] };
  // The end of the pod network: nodes get their shares from its beginning.
  const size = Number(podCIDR.split("/")[1]);
  return { pools: [`${serviceAddress(podCIDR, 2 ** (32 - size) - 16)}/28`], hosts: [] };
}

export const clusterDomain = "cluster.local";
/** The tenth address of the service network, as everywhere. */
export function clusterDNS({ serviceCIDR }: Pick<Cluster, "serviceCIDR">): string {
  return serviceAddress(serviceCIDR, 10);
}
/** The `n`-th address of an IPv4 network. */
export function serviceAddress(cidr: string, n: number): string {
  const parts = cidr.split("/")[0]!.split(".").map(Number);
  const value = (((parts[0]! << 24) | (parts[1]! << 16) | (parts[2]! << 8) | parts[3]!) >>> 0) + n;
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}
export function policyTable(cluster: string): string {
  return `ip timonier_policies_${cluster.replace(/[^a-z0-9]/g, "_")}`;
}
export function proxyTable(cluster: string): string {
  return `ip timonier_services_${cluster.replace(/[^a-z0-9]/g, "_")}`;
}

/** A pod as CRI's sandbox: names, addresses, namespaces, security (upstream: kuberuntime_sandbox.go and pkg/kubelet/network/dns). */
import type { Pod } from "../kinds/core/pod.ts";
import { containersOf } from "./containers.ts";
import { qosOf } from "./resources.ts";
import { label, NamespaceMode, Profile, Protocol, type NamespaceOptions, type SandboxConfig, type SecurityProfile } from "./runtime.ts";

/** What a node gives to its pods' configuration. */
export type NodeFacts = {
  readonly nodeName: string;
  readonly hostIPs: readonly string[];
  readonly memoryCapacity: number;
  readonly clusterDomain: string;
  /** Empty: pods use the node's resolver. */
  readonly clusterDNS: readonly string[];
  /** The node's own resolv.conf. */
  readonly resolver: ResolverConfig;
  /** Where pods' cgroups go: `/timonier-<name>`. */
  readonly cgroupRoot: string;
  /** `<data-dir>/logs/pods`. */
  readonly logsDir: string;
  /** `<data-dir>/pods`. */
  readonly podsDir: string;
  /** In memory: secrets and tokens never reach the disk. */
  readonly memoryDir: string;
  readonly seccompDir: string;
};
export type ResolverConfig = { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] };

// The kernel and glibc look no further (pkg/apis/core/validation: MaxDNSNameservers, MaxDNSSearchPaths, MaxDNSSearchListChars).
const serversMax = 3;
const searchesMax = 32;
const searchCharsMax = 2048;
const hostnameMax = 63;

export function sandboxConfig(pod: Pod, attempt: number, node: NodeFacts): SandboxConfig {
  const { name = "", namespace = "", uid = "" } = pod.metadata;
  const dnsConfig = dnsOf(pod, node);
  const security = pod.spec.securityContext ?? {};
  return {
    metadata: { name, namespace, uid, attempt },
    // A sandbox in the node's own UTS namespace may not set a name.
    hostname: pod.spec.hostNetwork ? "" : hostnameOf(pod, node.clusterDomain).hostname,
    logDirectory: podLogsDir(pod, node), dnsConfig,
    // Host ports are ours, not the runtime's: nothing is mapped twice.
    portMappings: [],
    labels: { ...pod.metadata.labels, [label.podName]: name, [label.podNamespace]: namespace, [label.podUID]: uid },
    annotations: { ...pod.metadata.annotations },
    linux: {
      cgroupParent: cgroupParentOf(pod, node),
      sysctls: Object.fromEntries((security.sysctls ?? []).map(sysctl => [sysctl.name.replaceAll("/", "."), sysctl.value])),
      securityContext: {
        namespaceOptions: namespacesOf(pod),
        privileged: containersOf(pod).some(({ container }) => container.securityContext?.privileged === true),
        seccomp: profileOf(security.seccompProfile, node),
        ...(security.runAsUser !== undefined && { runAsUser: { value: security.runAsUser } }),
        ...(security.runAsGroup !== undefined && security.runAsUser !== undefined && { runAsGroup: { value: security.runAsGroup } }),
        supplementalGroups: groupsOf(pod),
      },
    },
  };
}

/** The pod, unless it wants users of its own: the runtime has none and would let it run as the node's without a word. */
export function inHostUsers(pod: Pod): Pod {
  if (pod.spec.hostUsers === false) throw new Error("can't set `spec.hostUsers: false`, runtime does not support user namespaces");
  return pod;
}
export function podLogsDir(pod: Pod, node: Pick<NodeFacts, "logsDir">): string {
  return `${node.logsDir}/${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`;
}
export function cgroupParentOf(pod: Pod, node: Pick<NodeFacts, "cgroupRoot">): string {
  const qos = qosOf(pod);
  return `${node.cgroupRoot}${qos === "Guaranteed" ? "" : `/${qos.toLowerCase()}`}/pod${pod.metadata.uid}`;
}
export function groupsOf(pod: Pod): readonly number[] {
  const { fsGroup, supplementalGroups = [] } = pod.spec.securityContext ?? {};
  return [...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])];
}

export function namespacesOf(pod: Pod, target?: { readonly containerId: string }): NamespaceOptions {
  return {
    network: pod.spec.hostNetwork ? NamespaceMode.node : NamespaceMode.pod,
    ipc: pod.spec.hostIPC ? NamespaceMode.node : NamespaceMode.pod,
    pid: pod.spec.hostPID ? NamespaceMode.node : target ? NamespaceMode.target : pod.spec.shareProcessNamespace ? NamespaceMode.pod : NamespaceMode.container,
    ...(target && { targetID: target.containerId }),
  };
}

type SeccompProfile = { readonly type: string; readonly localhostProfile?: string | undefined };
/** Unconfined unless asked otherwise is upstream's default; ours is the runtime's profile, as kubelet's `seccompDefault`. */
export function profileOf(profile: SeccompProfile | undefined, { seccompDir }: Pick<NodeFacts, "seccompDir">): SecurityProfile {
  if (profile?.type === "Unconfined") return { profileType: Profile.unconfined };
  if (profile?.type === "Localhost") return { profileType: Profile.localhost, localhostRef: `${seccompDir}/${profile.localhostProfile ?? ""}` };
  return { profileType: Profile.runtimeDefault };
}

/** The pod's host name and its domain, if it has one (kubelet_pods.go: GeneratePodHostNameAndDomain). */
export function hostnameOf(pod: Pod, clusterDomain: string): { readonly hostname: string; readonly domain: string } {
  if (pod.spec.hostnameOverride) return { hostname: pod.spec.hostnameOverride, domain: "" };
  const domain = pod.spec.subdomain ? `${pod.spec.subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : "";
  const short = pod.spec.hostname || (pod.metadata.name ?? "").slice(0, hostnameMax).replace(/[-.]+$/, "");
  return { hostname: pod.spec.setHostnameAsFQDN && domain !== "" ? `${short}.${domain}` : short, domain };
}

export function dnsOf(pod: Pod, node: Pick<NodeFacts, "clusterDNS" | "clusterDomain" | "resolver">): ResolverConfig {
  const policy = pod.spec.dnsPolicy;
  const ownNode = { servers: node.resolver.servers, searches: node.resolver.searches, options: node.resolver.options };
  const { clusterDomain: domain } = node;
  const cluster = {
    servers: node.clusterDNS, searches: [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain, ...node.resolver.searches], options: ["ndots:5"],
  };
  // A pod on the node's network asks for cluster names only when it says so.
  const usesCluster = policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !pod.spec.hostNetwork);
  const base = policy === "None" ? { servers: [], searches: [], options: [] } : usesCluster && node.clusterDNS.length > 0 ? cluster : ownNode;
  const extra = pod.spec.dnsConfig ?? {};
  const searches: string[] = [];
  for (const search of new Set([...base.searches, ...(extra.searches ?? [])]))
    if (searches.length < searchesMax && [...searches, search].join(" ").length <= searchCharsMax) searches.push(search);
  return {
    servers: [...new Set([...base.servers, ...(extra.nameservers ?? [])])].slice(0, serversMax), searches,
    options: mergedOptions(base.options, (extra.options ?? []).map(({ name = "", value }) => (value === undefined ? name : `${name}:${value}`))),
  };
}
/** The pod's own option stands for the one of the same name. */
function mergedOptions(base: readonly string[], own: readonly string[]): readonly string[] {
  const nameOf = (option: string): string => option.split(":")[0] ?? "";
  return [...new Map([...base, ...own].map(option => [nameOf(option), option])).values()];
}

export function parseResolver(text: string): ResolverConfig {
  const lines = text.split("\n").map(line => line.trim().split(/\s+/));
  const last = (keyword: string): readonly string[] => lines.findLast(([word]) => word === keyword)?.slice(1) ?? [];
  return { servers: lines.filter(([word, server]) => word === "nameserver" && server !== undefined).map(([, server]) => server!), searches: last("search").filter(search => search !== "."), options: last("options") };
}

/** /etc/hosts of the pod (kubelet_pods.go: managedHostsFileContent; header included, clients look for it). */
export function hostsFile(pod: Pod, podIPs: readonly string[], node: Pick<NodeFacts, "clusterDomain">, nodeHosts: string): string {
  const aliases = (pod.spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}\n`).join("");
  const added = aliases === "" ? "" : `\n# Entries added by HostAliases.\n${aliases}`;
  if (pod.spec.hostNetwork) return `# Kubernetes-managed hosts file (host network).\n${nodeHosts}${added}`;
  const { hostname, domain } = hostnameOf(pod, node.clusterDomain);
  const names = domain === "" ? hostname : `${hostname.replace(`.${domain}`, "")}.${domain}\t${hostname.replace(`.${domain}`, "")}`;
  return [
    "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n",
    ...podIPs.map(ip => `${ip}\t${names}\n`), added,
  ].join("");
}

/** Ports that the pod wants on the node's own addresses. */
export function hostPortsOf(pod: Pod): readonly { readonly protocol: number; readonly hostPort: number; readonly containerPort: number; readonly hostIP: string }[] {
  if (pod.spec.hostNetwork) return [];
  return containersOf(pod).flatMap(({ container }) => (container.ports ?? []).filter(({ hostPort }) => hostPort).map(({ protocol = "TCP", hostPort = 0, containerPort, hostIP = "" }) => ({ protocol: Protocol[protocol as keyof typeof Protocol], hostPort, containerPort, hostIP })));
}

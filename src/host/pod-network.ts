/** What pods' packets need of the node beyond CNI: forwarding, a masquerade for the outside world, and ports on the node's own addresses. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { basename, dirname, join } from "node:path";
import type { HostPorts } from "../node/host.ts";
import { command, findProgram, mustCommand } from "./command.ts";
import { writeFileAtomic } from "./files.ts";

/** The nftables tables of one cluster's node; `removeTables` in nft.ts takes them away. */
export function podTables(cluster: string): readonly string[] {
  return [`ip ${tableName(cluster)}`, `ip6 ${tableName(cluster)}`];
}
function tableName(cluster: string): string {
  return `timonier_pods_${cluster.replace(/[^a-z0-9]/g, "_")}`;
}

const switches = ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"] as const;
/** How long a connection that one side has closed is remembered: Linux's minute would cut those that still answer (pkg/proxy/apis/config: tcpCloseWaitTimeout). */
const closeWait = "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait", closeWaitSeconds = 3600;

const interfaces6 = "/proc/sys/net/ipv6/conf";
/** A router hears no router unless told so: interfaces that got their addresses and routes from one would lose them (Linux ip-sysctl, accept_ra). */
function hearingRouters(): readonly string[] {
  return readdirSync(interfaces6).filter(name => !/^(all|default|lo|veth)/.test(name)).map(name => `${interfaces6}/${name}/accept_ra`).filter(path => readFileSync(path, "utf8").trim() === "1");
}

/**
 * Turns forwarding on, gives half-closed connections their hour, and remembers in `before` how it was, so that `restoreForwarding` can put it back. The note is the machine's, not one
 * cluster's: it lies beside the run folders of all clusters, and is lost with a reboot, as the switches themselves are.
 */
export async function enableForwarding(before: string, withIPv6: boolean): Promise<void> {
  const wanted = withIPv6 ? switches : switches.slice(0, 1);
  const hearing = withIPv6 && readFileSync(switches[1], "utf8").trim() === "0" ? hearingRouters() : [];
  const values: { readonly [path: string]: string } = Object.fromEntries([...wanted, ...hearing, closeWait].filter(path => existsSync(path)).map(path => [path, readFileSync(path, "utf8").trim()]));
  // What somebody has noted already was so before all of us.
  const noted = existsSync(before) ? JSON.parse(readFileSync(before, "utf8")) as { readonly [path: string]: string } : {};
  if (Object.keys(values).some(path => noted[path] === undefined)) await writeFileAtomic(before, JSON.stringify({ ...values, ...noted }));
  for (const path of hearing) writeFileSync(path, "2");
  for (const path of wanted) if (values[path] !== undefined && values[path] !== "1") writeFileSync(path, "1");
  if (Number(values[closeWait] ?? closeWaitSeconds) < closeWaitSeconds) writeFileSync(closeWait, String(closeWaitSeconds));
}
/** The last cluster with containers on the machine (`runFolder`) puts the switches back: others' pods would lose their way. */
export function restoreForwarding(before: string, runFolder: string): void {
  if (!existsSync(before)) return;
  const others = readdirSync(dirname(before), { withFileTypes: true }).filter(entry => entry.isDirectory() && entry.name !== basename(runFolder) && existsSync(join(dirname(before), entry.name, "containerd")));
  if (others.length > 0) return;
  const values = JSON.parse(readFileSync(before, "utf8")) as { readonly [path: string]: string };
  for (const path of switches) if (values[path] === "0" && existsSync(path)) writeFileSync(path, "0");
  for (const path of Object.keys(values)) if ((path === closeWait || (path.startsWith(`${interfaces6}/`) && path.endsWith("/accept_ra"))) && existsSync(path)) writeFileSync(path, values[path]!);
  rmSync(before);
}

/** Addresses of services: what still carries one after translation is served by nobody, and must not leave by the default route. */
export type ServiceNetwork = { readonly cidr: string; /** Served on the node itself. */ readonly dns?: string };

type Port = Parameters<HostPorts["open"]>[2][number];

/**
 * One table per address family, replaced whole in one transaction whenever something changes: a masquerade for what leaves the pod
 * networks, a map from (protocol, port) of the node to a pod, and no packet from a pod under another's address. No rule outlives the table.
 */
export class PodNetwork implements HostPorts {
  readonly #cluster: string;
  readonly #podNetworks: readonly string[];
  #services: readonly ServiceNetwork[];
  readonly #path: string;
  readonly #open = new Map<string, { readonly ips: readonly string[]; readonly ports: readonly Port[] }>();
  #work: Promise<void> = Promise.resolve();
  /** `podNetworks` are the whole cluster's: between pods nothing is rewritten. */
  constructor(cluster: string, podNetworks: readonly string[], services: readonly ServiceNetwork[], path: string) {
    this.#services = services;
    this.#cluster = cluster;
    this.#podNetworks = podNetworks;
    this.#path = path;
  }

  start(): Promise<void> {
    return this.#apply();
  }
  /** Others from now on. */
  async setServices(services: readonly ServiceNetwork[]): Promise<void> {
    this.#services = services;
    await this.#apply();
  }
  async open(podUID: string, ips: readonly string[], ports: readonly Port[]): Promise<void> {
    this.#open.set(podUID, { ips, ports });
    await this.#apply();
    const onLoopback = ports.some(({ hostIP }) => hostIP === "" || hostIP === "0.0.0.0" || hostIP.startsWith("127."));
    if (onLoopback) for (const ip of ips) if (!isIPv6(ip)) await this.#fromLoopback(ip);
  }
  /** Lets the machine's own 127.0.0.1 be translated to this pod; what comes from the pod to the loopback is dropped by the service rules. */
  async #fromLoopback(ip: string): Promise<void> {
    const route = await mustCommand(findProgram("ip", this.#path) ?? "ip", ["-o", "route", "get", ip]);
    const device = / dev (\S+)/.exec(route)?.[1];
    // Without an interface of its own it is no pod of ours.
    if (device?.startsWith("veth")) writeFileSync(`/proc/sys/net/ipv4/conf/${device}/route_localnet`, "1");
  }
  close(podUID: string): Promise<void> {
    return this.#open.delete(podUID) ? this.#apply() : this.#work;
  }

  /** One after another, so that the newest state wins. */
  #apply(): Promise<void> {
    const next = this.#work.catch(() => undefined).then(async () => {
      const nft = findProgram("nft", this.#path);
      if (nft === undefined) throw new Error("nft is not installed (Debian package nftables)");
      await mustCommand(nft, ["-f", "-"], { input: renderPodTables(tableName(this.#cluster), this.#podNetworks, this.#services, [...this.#open.values()]) });
    });
    this.#work = next.catch(() => undefined);
    return next;
  }
}

/** Gives the node an address of its own on the loopback, where pods reach it without translation. */
export async function addLoopbackAddress(address: string, path: string): Promise<void> {
  await mustCommand(findProgram("ip", path) ?? "ip", ["address", "replace", `${address}/${isIPv6(address) ? 128 : 32}`, "dev", "lo"]);
}
export async function removeLoopbackAddress(address: string, path: string): Promise<void> {
  // It may be gone already: then there is nothing to do.
  await command(findProgram("ip", path) ?? "ip", ["address", "delete", `${address}/${isIPv6(address) ? 128 : 32}`, "dev", "lo"]);
}

/** Makes every address of a range the node's own, without giving it to an interface: the kernel takes their packets, and answers for them on the link. */
export async function addLocalRange(cidr: string, path: string): Promise<void> {
  await mustCommand(findProgram("ip", path) ?? "ip", [cidr.includes(":") ? "-6" : "-4", "route", "replace", "local", cidr, "dev", "lo"]);
}
export async function removeLocalRange(cidr: string, path: string): Promise<void> {
  // It may be gone already: then there is nothing to do.
  await command(findProgram("ip", path) ?? "ip", [cidr.includes(":") ? "-6" : "-4", "route", "delete", "local", cidr, "dev", "lo"]);
}

/** Pure, so that it can be read in a test. One command per line: older nft demand it. */
export function renderPodTables(table: string, podNetworks: readonly string[], services: readonly ServiceNetwork[], open: readonly { readonly ips: readonly string[]; readonly ports: readonly Port[] }[]): string {
  const lines: string[] = [];
  for (const family of ["ip", "ip6"] as const) {
    const networks = podNetworks.filter(network => isIPv6(network.split("/")[0]!) === (family === "ip6"));
    lines.push(`add table ${family} ${table}`, `delete table ${family} ${table}`);
    if (networks.length === 0) continue;
    lines.push(`add table ${family} ${table}`, `add chain ${family} ${table} postrouting { type nat hook postrouting priority srcnat ; }`);
    // Each pod's address has a route to its own interface (ptp), so the reverse path says whose it may use; IPv6's own link needs the others.
    lines.push(`add chain ${family} ${table} sources { type filter hook prerouting priority raw ; }`, `add rule ${family} ${table} sources iifname "veth*" ${family === "ip6" ? "ip6 saddr != { ::, fe80::/10 } " : ""}fib saddr . iif oif missing drop`);
    for (const network of networks) lines.push(`add rule ${family} ${table} postrouting ${family} saddr ${network} ${family} daddr != ${network} masquerade`);
    for (const { cidr, dns } of services.filter(each => isIPv6(each.cidr.split("/")[0]!) === (family === "ip6")))
      for (const hook of ["forward", "output"])
        lines.push(
          `add chain ${family} ${table} unserved_${hook} { type filter hook ${hook} priority 10 ; }`,
          `add rule ${family} ${table} unserved_${hook} ${family} daddr ${cidr} ${dns === undefined ? "" : `${family} daddr != ${dns} `}reject`,
        );
    const mapped = open.flatMap(({ ips, ports }) => {
      const ip = ips.find(address => isIPv6(address) === (family === "ip6"));
      return ip === undefined ? [] : ports.map(port => ({ ...port, ip }));
    });
    if (mapped.length === 0) continue;
    lines.push(
      `add chain ${family} ${table} ports`, `add chain ${family} ${table} prerouting { type nat hook prerouting priority dstnat ; }`, `add chain ${family} ${table} output { type nat hook output priority -100 ; }`,
      `add rule ${family} ${table} prerouting fib daddr type local jump ports`, `add rule ${family} ${table} output fib daddr type local jump ports`,
    );
    for (const { protocol, hostPort, containerPort, hostIP, ip } of mapped) {
      const name = ["tcp", "udp", "sctp"][protocol] ?? "tcp";
      const own = hostIP === "" || hostIP === "0.0.0.0" || hostIP === "::" ? "" : `${family} daddr ${hostIP} `;
      lines.push(`add rule ${family} ${table} ports ${own}${name} dport ${hostPort} dnat to ${family === "ip6" ? `[${ip}]` : ip}:${containerPort}`);
    }
    // A pod that reaches itself through the node, and the node itself from its loopback, must get their answers back.
    lines.push(`add rule ${family} ${table} postrouting ct status dnat ${family} saddr { ${[...new Set(mapped.map(({ ip }) => ip)), family === "ip" ? "127.0.0.0/8" : "::1"].join(", ")} } masquerade`);
  }
  return `${lines.join("\n")}\n`;
}

/** Which cluster a command means, where its files are, and how a new one is laid out. */
import { must } from "../base/assert.ts";
import { parseCidr, renderIp, within } from "../base/ip.ts";
import { messageOf } from "../base/log.ts";
import { UsageError, type Arguments, type Flag } from "./args.ts";
import type { Cluster, Machine, Member } from "./machine.ts";

export const clusterFlags: readonly Flag[] = [
  { name: "name", type: "string", env: "TIMONIER_NAME", default: "timonier", doc: "name of the cluster" },
  { name: "data-dir", type: "string", env: "TIMONIER_DATA_DIR", doc: "folder for everything the cluster keeps (default ~/.timonier)" },
];

export type Place = { readonly name: string; readonly root: string; readonly dataFolder: string; readonly file: string; readonly runFolder: string; readonly context: string; readonly id: string };

/** Names, folders and context of the cluster that the flags mean, whether it exists or not. */
export function placeOf(machine: Machine, { values }: Arguments): Place {
  const name = String(values["name"]);
  if (!/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name)) throw new UsageError(`--name: "${name}" is not a lower-case name of letters, digits and "-" (at most 32 characters)`);
  const root = machine.resolve(String(values["data-dir"] ?? `${machine.home}/.timonier`));
  const dataFolder = `${root}/${name}`;
  const id = `${name}-${machine.digest(dataFolder).slice(0, 6)}`;
  return { name, root, dataFolder, file: `${dataFolder}/cluster.json`, runFolder: machine.uid === 0 ? `/run/timonier/${id}` : `${dataFolder}/run`, context: name === "timonier" ? "timonier" : `timonier-${name}`, id };
}

export async function loadCluster(machine: Machine, place: Place): Promise<Cluster | undefined> {
  const text = await machine.read(place.file);
  if (text === undefined) return undefined;
  try {
    return { ...(JSON.parse(text) as Cluster), dataFolder: place.dataFolder, runFolder: place.runFolder };
  } catch (error) {
    throw new UsageError(`${place.file} cannot be read (${messageOf(error)}): restore it, or remove the cluster with "timonier delete"`);
  }
}

export async function saveCluster(machine: Machine, cluster: Cluster): Promise<void> {
  await machine.write(`${cluster.dataFolder}/cluster.json`, `${JSON.stringify(cluster, null, 2)}\n`);
  // Clusters in other data folders find this one here.
  if (machine.uid === 0) await machine.write(`${cluster.runFolder}/data-folder`, `${cluster.dataFolder}\n`);
}

/**
 * The cluster where this machine is now. Laptops move between networks: an advertised address that no interface has any more is replaced by the `primary` one, or by
 * none (P28). What else `listen` names stays.
 */
export function atPresentAddress(cluster: Cluster, assigned: readonly string[], primary: string | undefined): Cluster {
  const { advertise, ...rest } = cluster;
  // Without a network the other nodes and all pods reach the machine by the first link between the nodes.
  const link = (cluster.members ?? []).length > 0 ? firstGateway(cluster.nodeCIDR) : undefined;
  const present = primary ?? link;
  if (advertise === undefined || advertise === link ? advertise === present : assigned.includes(advertise)) return cluster;
  const listens = cluster.runtime === "containerd" && primary !== undefined ? [primary] : [];
  return { ...rest, listen: [...new Set([...cluster.listen.filter(address => address !== advertise), ...listens])], ...(present === undefined ? {} : { advertise: present }) };
}

const firstGateway = (nodeCIDR: string | undefined): string | undefined => nodeCIDR?.replace(/\.0\/\d+$/, ".1");

export async function existingCluster(machine: Machine, args: Arguments): Promise<Cluster> {
  const place = placeOf(machine, args);
  const cluster = await loadCluster(machine, place);
  if (!cluster) throw new UsageError(`there is no cluster "${place.name}" in ${place.root}: make it with "timonier up${place.name === "timonier" ? "" : ` --name ${place.name}`}"`);
  return cluster;
}

/** Lays out a new cluster: free ports, a pod network that nothing here uses yet. */
export async function layOut(machine: Machine, place: Place, { values }: Arguments): Promise<Cluster> {
  const runtime = String(values["runtime"] ?? "containerd");
  if (runtime !== "containerd" && runtime !== "simulated") throw new UsageError(`--runtime: "${runtime}" is not a runtime: expected "containerd" or "simulated"`);
  const nodes = Number(values["nodes"] ?? 1);
  // Simulated nodes may be none: an API server with its controllers, to test a program against.
  const fewest = runtime === "simulated" ? 0 : 1;
  if (nodes < fewest || nodes > 5000) throw new UsageError(`--nodes: ${nodes} is out of range: expected ${fewest} to 5000`);
  if (runtime === "simulated" && values["links"] !== undefined) throw new UsageError("--links: simulated nodes have no network");
  const advertise = machine.primaryAddress();
  const listen = ["127.0.0.1", ...(runtime === "containerd" && advertise ? [advertise] : [])];
  const port = await choosePort(machine, listen, values["port"] as number | undefined, 6443, "--port");
  const nodePort = await choosePort(machine, listen, values["node-port"] as number | undefined, 10250, "--node-port");
  const others = await networksOfOthers(machine, place);
  const podCIDR = await network(machine, values["pod-cidr"], "--pod-cidr", range(244, 128), others);
  const serviceCIDR = await network(machine, values["service-cidr"], "--service-cidr", range(96, 127), others);
  const cluster: Cluster = {
    name: place.name, id: place.id, state: "creating", runtime, nodes: runtime === "simulated" ? nodes : 1,
    nodeName: machine.hostname.toLowerCase().replace(/[^-.a-z0-9]/g, "-").replace(/^[-.]+|[-.]+$/g, "") || "node",
    listen, ...(advertise ? { advertise } : {}), port, nodePort,
    podCIDR, serviceCIDR, ...(values["dual-stack"] === true ? { ipv6: await ipv6Networks(machine, place, runtime) } : {}), ...loadBalancerPools(values["lb-pool"], [podCIDR, serviceCIDR], listen), ...(values["external-ips"] === true ? { externalIPs: true } : {}),
    dataFolder: place.dataFolder, runFolder: place.runFolder, context: place.context,
  };
  return runtime === "simulated" ? cluster : grown(machine, place, cluster, nodes, values);
}

/** Unique local addresses (RFC 4193) of the cluster's own: nothing needs to be asked for, nobody else has them. */
async function ipv6Networks(machine: Machine, { id }: Place, runtime: string): Promise<NonNullable<Cluster["ipv6"]>> {
  if (runtime === "simulated") throw new UsageError("--dual-stack: simulated nodes have no network");
  if (!(await machine.exists("/proc/sys/net/ipv6"))) throw new UsageError("--dual-stack: this machine's kernel has no IPv6 (it may be switched off by ipv6.disable=1): leave the flag out");
  const hex = machine.digest(`ipv6 ${id}`).padEnd(10, "0");
  const prefix = 0xfdn << 40n | BigInt(`0x${hex.slice(0, 10)}`);
  const network = (fourth: bigint, bits: number): string => `${renderIp({ family: 6, value: prefix << 80n | fourth << 64n })}/${bits}`;
  return { podCIDR: network(0n, 56), serviceCIDR: network(0xf000n, 112), nodeCIDR: network(0xe000n, 56) };
}

/** Each node has an agent and a containerd of its own: over 100 MB. */
const nodesMax = 50;

/** The same cluster with `nodes` nodes in all; existing ones stay as they are. */
export async function grown(machine: Machine, place: Place, cluster: Cluster, nodes: number, { links: asked, "node-cidr": askedNetwork }: Arguments["values"]): Promise<Cluster> {
  const members = [...(cluster.members ?? [])];
  const flags = cluster.name === "timonier" ? "" : ` --name ${cluster.name}`;
  if (nodes < 1 || nodes > nodesMax) throw new UsageError(`--nodes: ${nodes} is out of range: expected 1 to ${nodesMax} with real containers (--runtime simulated: to 5000)`);
  if (nodes < members.length + 1) throw new UsageError(`--nodes ${nodes}: cluster "${cluster.name}" has ${members.length + 1} nodes: take one away with "timonier node remove ${members.at(-1)!.name}${flags}"`);
  if (asked !== undefined && cluster.links !== undefined && asked !== cluster.links) throw new UsageError(`--links ${String(asked)}: cluster "${cluster.name}" was made with ${cluster.links}, which cannot change: delete it first, or choose another --name`);
  if (nodes === members.length + 1) return cluster;
  const links = cluster.links ?? Number(asked ?? 1);
  if (links < 1 || links > 200) throw new UsageError(`--links: ${links} is out of range: expected 1 to 200`);
  const podNetworks = 2 ** Math.max(0, 24 - Number(cluster.podCIDR.split("/")[1]));
  if (nodes > podNetworks) throw new UsageError(`--nodes ${nodes}: the pod network ${cluster.podCIDR} has room for ${podNetworks} nodes (a /24 each): make the cluster with a larger --pod-cidr`);
  const nodeCIDR = cluster.nodeCIDR ?? await network(machine, askedNetwork, "--node-cidr", range(95, 32), await networksOfOthers(machine, place));
  // A machine without a network has no address but this that pods could reach it at.
  const advertise = cluster.advertise ?? (cluster.state === "creating" ? firstGateway(nodeCIDR) : undefined);
  if (advertise === undefined) throw new UsageError(`--nodes ${nodes}: cluster "${cluster.name}" was made without a network, other nodes could not reach it: delete it first, or choose another --name`);
  for (let index = 1; members.length + 1 < nodes; index++)
    if (!members.some(member => member.index === index)) members.push({ name: `${cluster.nodeName.slice(0, 58).replace(/[-.]+$/, "")}-${index + 1}`, index, link: (index - 1) % links });
  return { ...cluster, advertise, nodes, members: members.sort((a, b) => a.index - b.index), nodeCIDR, links };
}

/** The processes that a cluster consists of. */
export type Daemon = { readonly name: string; /** What it is to people. */ readonly title: string; readonly runFolder: string; readonly logFile: string; readonly args: readonly string[]; readonly member?: Member };

export function daemonsOf(cluster: Cluster): readonly Daemon[] {
  const { dataFolder, runFolder } = cluster;
  const own = (name: string): Daemon => ({ name, title: name, runFolder, logFile: `${dataFolder}/logs/${name}.log`, args: [name, "--data-dir", dataFolder] });
  if (cluster.runtime === "simulated") return [own("server")];
  return [own("server"), own("agent"), ...(cluster.members ?? []).map(member => memberDaemon(cluster, member))];
}
/** A member's folders are named by its index: names of sockets are short. */
export function memberDaemon({ dataFolder, runFolder }: Cluster, member: Member): Daemon {
  return { name: "agent", title: `node ${member.name}`, runFolder: `${runFolder}/n${member.index}`, logFile: `${dataFolder}/logs/agent-${member.index}.log`, args: ["box", "--data-dir", dataFolder, "--node", member.name], member };
}

/** Ranges that share no address with each other, with the cluster's networks, or with what we listen on. */
function loadBalancerPools(asked: unknown, networks: readonly string[], listen: readonly string[]): { readonly loadBalancerPools?: readonly string[] } {
  if (asked === undefined) return {};
  const seen = [...networks, ...listen.map(address => `${address}/32`)].map(text => ({ text, cidr: must(parseCidr(text), text) }));
  const pools = String(asked).split(",").map(part => part.trim());
  for (const text of pools) {
    const cidr = parseCidr(text);
    if (cidr === undefined || cidr.value === 0n) throw new UsageError(`--lb-pool: "${text}" is not a range of addresses such as 192.168.1.240/28`);
    if ((cidr.value & ((1n << BigInt((cidr.family === 4 ? 32 : 128) - cidr.bits)) - 1n)) !== 0n) throw new UsageError(`--lb-pool: "${text}" has bits set behind its /${cidr.bits}`);
    const other = seen.find(each => within(cidr, each.cidr) || within(each.cidr, cidr));
    if (other) throw new UsageError(`--lb-pool: ${text} and ${other.text}, which is in use already, share addresses: choose a range that nothing else uses`);
    seen.push({ text, cidr });
  }
  return { loadBalancerPools: pools };
}

async function choosePort(machine: Machine, addresses: readonly string[], wanted: number | undefined, usual: number, flag: string): Promise<number> {
  if (wanted !== undefined) {
    if (wanted < 1 || wanted > 65535) throw new UsageError(`${flag}: ${wanted} is not a port: expected 1 to 65535`);
    if (!(await allFree(machine, addresses, wanted))) throw new UsageError(`${flag}: port ${wanted} is taken: stop what listens there, or choose another`);
    return wanted;
  }
  for (let port = usual; port < usual + 50; port++) if (await allFree(machine, addresses, port)) return port;
  throw new UsageError(`ports ${usual} to ${usual + 49} are all taken: name a free one with ${flag}`);
}

export async function allFree(machine: Machine, addresses: readonly string[], port: number): Promise<boolean> {
  for (const address of addresses) if (!(await machine.portFree(address, port))) return false;
  return true;
}

/** Networks of all other clusters here, in any data folder: a stopped one's lie on no interface, and its pods still use them. */
async function networksOfOthers(machine: Machine, { root, file, runFolder }: Place): Promise<readonly string[]> {
  const beside = (await machine.list(root)).map(name => `${root}/${name}/cluster.json`);
  const runFolders = machine.uid === 0 ? dirnameOf(runFolder) : undefined;
  const elsewhere = runFolders === undefined ? [] : await Promise.all((await machine.list(runFolders)).map(async id => `${((await machine.read(`${runFolders}/${id}/data-folder`)) ?? "").trim()}/cluster.json`));
  const texts = await Promise.all([...new Set([...beside, ...elsewhere])].filter(path => path !== file).map(path => machine.read(path)));
  // What cannot be read as a cluster says nothing of networks; its own commands complain of it.
  return texts.flatMap(text => [...(text ?? "").matchAll(/"(?:pod|service|node)CIDR": "([^"]+)"/g)].flatMap(match => match[1]!.split(",")));
}

const dirnameOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));

/** The one asked for, or the first 10.N.0.0/16 that no address or route of this machine touches, nor one of `others`. */
async function network(machine: Machine, asked: unknown, flag: string, seconds: readonly number[], others: readonly string[]): Promise<string> {
  if (asked !== undefined) {
    const text = checkedNetwork(String(asked), flag);
    const cidr = must(parseCidr(text), text);
    const other = others.find(each => { const theirs = parseCidr(each); return theirs !== undefined && (within(cidr, theirs) || within(theirs, cidr)); });
    if (other !== undefined) throw new UsageError(`${flag}: ${text} shares addresses with ${other} of another cluster on this machine: choose another, or leave ${flag} out to have a free one chosen`);
    return text;
  }
  const taken = new Set([...(await machine.networks()), ...others].map(each => each.split(".").slice(0, 2).join(".")));
  const free = seconds.find(second => !taken.has(`10.${second}`));
  if (free === undefined) throw new UsageError(`every network from 10.${seconds[0]}.0.0/16 to 10.${seconds.at(-1)}.0.0/16 is in use here: name a free one with ${flag}`);
  return `10.${free}.0.0/16`;
}

const range = (from: number, to: number): readonly number[] => Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => from + (to > from ? i : -i));

function checkedNetwork(text: string, flag: string): string {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  const [a = 0, b = 0, c = 0, d = 0, size = 0] = (match ?? []).slice(1).map(Number);
  if (!match || [a, b, c, d].some(part => part > 255) || size < 8 || size > 24) throw new UsageError(`${flag}: "${text}" is not an IPv4 network such as 10.244.0.0/16 (size /8 to /24)`);
  if (((((a << 24) | (b << 16) | (c << 8) | d) >>> 0) & ((2 ** (32 - size)) - 1)) !== 0) throw new UsageError(`${flag}: "${text}" has bits set behind its /${size}`);
  return text;
}

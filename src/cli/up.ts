import { messageOf } from "../base/log.ts";
import { UsageError, type Arguments } from "./args.ts";
import { allFree, atPresentAddress, clusterFlags, daemonsOf, grown, layOut, loadCluster, placeOf, saveCluster, type Daemon, type Place } from "./cluster.ts";
import type { Command } from "./command.ts";
import { ingressLine } from "./ingress.ts";
import type { Cluster, Machine, Parts, Probe } from "./machine.ts";
import { bringPackages } from "./packages.ts";
import { duration, Progress } from "./progress.ts";
import { followDaemons } from "./starting.ts";

export const up: Command = {
  name: "up",
  doc: "start the cluster, making it first if need be",
  flags: [
    ...clusterFlags,
    { name: "runtime", type: "string", doc: "containerd (default) or simulated: pods that only pretend, without root or containers" },
    { name: "nodes", type: "number", doc: "number of nodes, each with its own agent, containerd and network (default 1); more than before adds nodes" },
    { name: "links", type: "number", doc: "networks that the further nodes are spread over; between them packets travel in a VXLAN tunnel (default 1)" },
    { name: "port", type: "number", doc: "port of the API server (default 6443, or the next free one)" },
    { name: "node-port", type: "number", doc: "port of the node agent (default 10250, or the next free one)" },
    { name: "pod-cidr", type: "string", doc: "network of the pods (default: the first free 10.N.0.0/16 from 10.244 down)" },
    { name: "service-cidr", type: "string", doc: "network of the services (default: the first free 10.N.0.0/16 from 10.96 up)" },
    { name: "lb-pool", type: "string", doc: "addresses for LoadBalancer services, as CIDRs with commas (default: this machine's own address, by free port)" },
    { name: "external-ips", type: "boolean", doc: "let services name externalIPs: whoever may write a service can then take any address's traffic" },
    { name: "node-cidr", type: "string", doc: "network between the nodes (default: the first free 10.N.0.0/16 from 10.95 down)" },
    { name: "api-config", type: "string", doc: "folder with authentication.yaml and other files that configure the API server, read at every start (docs/guide/api-config.md)" },
    { name: "registries", type: "string", doc: "file with mirrors, credentials and TLS of image registries, as k3s' registries.yaml (docs/guide/registries.md)" },
    { name: "dual-stack", type: "boolean", doc: "give pods, nodes and services that ask for it IPv6 addresses as well" },
    { name: "no-install", type: "boolean", doc: "refuse instead of installing missing packages" },
  ],
  async run(args, machine, parts) {
    if (args.rest.length > 0) throw new UsageError(`up takes no arguments: "${args.rest.join(" ")}"`);
    if (machine.platform !== "linux") throw new UsageError(`timonier runs on Linux only (this is ${machine.platform}): use a Linux machine or virtual machine`);
    const place = placeOf(machine, args);
    const kept = await loadCluster(machine, place);
    const known = kept && atPresentAddress(kept, machine.assignedAddresses(), machine.primaryAddress());
    if (known?.state === "deleting") throw new UsageError(`cluster "${known.name}" is half deleted: finish with "timonier delete${flagsFor(known)}", then run up again`);
    if (known) refuseChanges(known, args);
    const runtime = known?.runtime ?? String(args.values["runtime"] ?? "containerd");
    if (runtime === "containerd" && machine.uid !== 0) throw new UsageError("real containers need root: run this as root (sudo), or use --runtime simulated");

    const lock = await machine.lock(`${place.root}/${place.name}.lock`);
    if (!lock.ok) throw new UsageError(`another timonier command works on cluster "${place.name}" (${lock.holder}): wait for it, then run this again`);
    try {
      return await bringUp(known, place, args, machine, parts);
    } finally {
      await lock.release();
      await machine.removeEmpty(place.root);
    }
  },
};

async function bringUp(known: Cluster | undefined, place: Place, args: Arguments, machine: Machine, parts: Parts): Promise<number> {
  const asked = args.values["nodes"];
  const wanted = known && known.runtime === "containerd" && (asked !== undefined || args.values["links"] !== undefined) ? await grown(machine, place, known, Number(asked ?? known.nodes), args.values) : known;
  if (known && wanted === known && (await machine.daemon("server", known.runFolder))) {
    const probe = await parts.probe(known);
    const all = await Promise.all(daemonsOf(known).map(({ name, runFolder }) => machine.daemon(name, runFolder)));
    if (probe && all.every(each => each?.kept === true)) {
      for (const [flag, path] of Object.entries(pathsIn(args, machine))) {
        const used = known[flag as keyof typeof pathFlags];
        if (path !== used) throw new UsageError(`--${pathFlags[flag as keyof typeof pathFlags]} ${path}: cluster "${known.name}" runs with ${used ?? "none"}: run "timonier down${flagsFor(known)}" first`);
      }
      const ingress = await ingressLine(machine, known);
      machine.out(`Cluster "${known.name}" is running: ${describe(known, probe)}.\n${ingress === undefined ? "" : `Ingress ${ingress}\n`}`);
      await parts.mergeKubeconfig(access(known));
      return 0;
    }
  }
  const progress = new Progress(machine);
  const first = known === undefined || known.state === "creating";
  const planned = wanted ?? (await layOut(machine, place, args));
  const cluster = { ...planned, ...pathsIn(args, machine) };
  if (cluster.runtime === "simulated" && cluster.registries !== undefined) throw new UsageError("--registries: simulated nodes pull no images: leave it out, or use --runtime containerd");
  const problem = cluster.registries === undefined ? undefined : await parts.registriesProblem(cluster.registries);
  if (problem !== undefined) throw new UsageError(problem);
  if (known) await checkPorts(machine, known);
  machine.out(`${first ? "Making" : planned === known ? "Starting" : "Growing"} cluster "${place.name}"\n`);
  if (cluster.runtime === "containerd") await bringPackages(machine, progress, args.values["no-install"] === true);

  let interrupted = false;
  const unlisten = machine.onInterrupt(() => { interrupted = true; });
  const started: Daemon[] = [];
  try {
    if ((cluster.members ?? []).length > 0) await parts.layNodeNetwork(cluster);
    await saveCluster(machine, cluster);
    await followDaemons(cluster, machine, progress, () => interrupted, daemon => void started.push(daemon));
    const kubeconfig = await parts.mergeKubeconfig(access(cluster));
    await saveCluster(machine, { ...cluster, state: "made", kubeconfig });
  } catch (error) {
    if (first) await undo(cluster, place, machine, parts);
    else await stopStarted(started, known ?? cluster, cluster, machine, parts);
    throw error;
  } finally {
    unlisten();
  }
  const ingress = await ingressLine(machine, cluster);
  machine.out(`\nCluster "${cluster.name}" is ready after ${duration(progress.elapsedMs)}: https://${cluster.listen[0]}:${cluster.port}\n${ingress === undefined ? "" : `Ingress ${ingress}\n`}${nextCommands(cluster)}`);
  return 0;
}

/** A later start that failed: what it started is stopped again, nodes that it added go. */
async function stopStarted(started: readonly Daemon[], known: Cluster, cluster: Cluster, machine: Machine, parts: Parts): Promise<void> {
  const added = (cluster.members ?? []).filter(({ index }) => !known.members?.some(member => member.index === index));
  await Promise.all(started.filter(({ name }) => name === "agent").map(({ name, runFolder }) => machine.stopDaemon(name, runFolder, 3_000)));
  for (const member of added) await parts.removeMember(cluster, member).catch((error: unknown) => machine.err(`${messageOf(error)}\n`));
  await Promise.all(started.map(({ name, runFolder }) => machine.stopDaemon(name, runFolder, 3_000)));
  await saveCluster(machine, known);
}

/** Nothing half-made stays behind: a first start that failed is removed. */
async function undo(cluster: Cluster, place: Place, machine: Machine, parts: Parts): Promise<void> {
  await Promise.all(daemonsOf(cluster).map(({ name, runFolder }) => machine.stopDaemon(name, runFolder, 3_000)));
  await machine.stopDaemon("ingress", cluster.runFolder, 3_000);
  if (cluster.runtime === "containerd") await parts.removeWorkloads(cluster, () => undefined);
  const log = await machine.read(`${cluster.dataFolder}/logs/server.log`);
  if (log) machine.err(lastLines(log, 5));
  await machine.remove(cluster.dataFolder);
  await machine.remove(cluster.runFolder);
  await machine.removeEmpty(place.root);
}

const lastLines = (text: string, count: number): string => `${text.trimEnd().split("\n").slice(-count).join("\n")}\n`;

async function checkPorts(machine: Machine, cluster: Cluster): Promise<void> {
  if (!(await machine.daemon("server", cluster.runFolder)) && !(await allFree(machine, cluster.listen, cluster.port)))
    throw new UsageError(`port ${cluster.port}, which this cluster uses, is taken by another program: stop that program (see "ss -ltnp sport = :${cluster.port}"), then run up again`);
}

function refuseChanges(cluster: Cluster, { values }: Arguments): void {
  const fixed = { runtime: cluster.runtime, ...(cluster.runtime === "simulated" ? { nodes: cluster.nodes } : {}), port: cluster.port, "node-port": cluster.nodePort, "pod-cidr": cluster.podCIDR, "service-cidr": cluster.serviceCIDR, "lb-pool": cluster.loadBalancerPools?.join(",") ?? "this machine's own address", "external-ips": cluster.externalIPs ?? false, "dual-stack": cluster.ipv6 !== undefined, ...(cluster.nodeCIDR === undefined ? {} : { "node-cidr": cluster.nodeCIDR }) } as const;
  for (const [flag, value] of Object.entries(fixed))
    if (values[flag] !== undefined && (flag === "lb-pool" ? String(values[flag]).replaceAll(" ", "") : values[flag]) !== value)
      throw new UsageError(`--${flag} ${String(values[flag])}: cluster "${cluster.name}" was made with ${value}, which cannot change: delete it first, or choose another --name`);
}

/** What the cluster remembers of files of its user, by the flag that names them; they may be others at the next start. */
const pathFlags = { apiConfig: "api-config", registries: "registries" } as const;
function pathsIn({ values }: Arguments, machine: Machine): { readonly [name in keyof typeof pathFlags]?: string } {
  return Object.fromEntries(Object.entries(pathFlags).flatMap(([name, flag]) => (values[flag] === undefined ? [] : [[name, machine.resolve(String(values[flag]))]])));
}

const access = (cluster: Cluster): Parameters<Parts["mergeKubeconfig"]>[0] => ({ context: cluster.context, server: `https://${cluster.listen[0]}:${cluster.port}`, dataFolder: cluster.dataFolder });

export function describe(cluster: Cluster, probe: Probe): string {
  const ready = probe.nodes.filter(node => node.ready).length;
  return `Kubernetes ${probe.version} at https://${cluster.listen[0]}:${cluster.port}, ${ready} of ${probe.nodes.length} node${probe.nodes.length === 1 ? "" : "s"} ready, ${probe.runningPods} of ${probe.pods} pod${probe.pods === 1 ? "" : "s"} running`;
}

export function flagsFor(cluster: Pick<Cluster, "name">): string {
  return cluster.name === "timonier" ? "" : ` --name ${cluster.name}`;
}

function nextCommands(cluster: Cluster): string {
  const flags = flagsFor(cluster);
  return `kubectl now uses context "${cluster.context}". Try:

  kubectl get nodes
  kubectl create deployment web --image=${cluster.runtime === "simulated" ? "web:v1" : "127.0.0.1:5000/hello:v1"}
  kubectl get pods -o wide -w
  timonier status${flags}
  timonier down${flags}${cluster.runtime === "simulated" ? "" : `       # pods keep running; "timonier up${flags}" finds them again`}
`;
}

/** The agent process: containerd, the node agent and its HTTPS server. Pods outlive it. */
import { mkdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { addBuildInfo } from "../base/build-info.ts";
import { messageOf, type Log } from "../base/log.ts";
import { supervise, type Service as Running } from "../base/supervise.ts";
import type { Cluster } from "../cli/machine.ts";
import { EventRecorder } from "../client/events.ts";
import { countedTransport } from "../client/counted-transport.ts";
import { HttpClient } from "../client/http.ts";
import { Informer } from "../client/informer.ts";
import { linuxCgroups } from "../host/cgroups.ts";
import { systemClock } from "../host/clock.ts";
import { bootId } from "../host/boot-id.ts";
import { boxId } from "../host/box.ts";
import { startAgain } from "../host/daemon.ts";
import { ensureContainerd, livingContainerd } from "../host/containerd.ts";
import { pathsOf, pauseImage } from "../host/containerd-config.ts";
import { CriRuntime, limit as runtimeLimit } from "../host/cri.ts";
import { syncFileSystem } from "../host/files.ts";
import { HttpClient as HttpTransport } from "../host/http-client.ts";
import { lineLog } from "../host/log.ts";
import { standardOutput } from "../host/log-output.ts";
import { machineFacts } from "../host/machine-facts.ts";
import { nftables } from "../host/nft.ts";
import { nodeFiles } from "../host/node-files.ts";
import { startNodeServer } from "../host/node-server.ts";
import { privateKeyPem, readIdentity, watchIdentity, type Identity } from "../host/pki-identity.ts";
import { addLoopbackAddress, enableForwarding, PodNetwork } from "../host/pod-network.ts";
import { RegistryHosts } from "../host/registry-hosts.ts";
import { addProcessFigures, addStartTime } from "../host/process-figures.ts";
import { probeConnector } from "../host/probe-connector.ts";
import { systemRandom } from "../host/random.ts";
import { settleMemory } from "../host/settle.ts";
import { ContainerdStreams } from "../host/containerd-streams.ts";
import { rememberFolders, StrayShims } from "../host/leftovers.ts";
import { logFiles } from "../host/log-files.ts";
import { Node } from "../kinds/core/node.ts";
import { linuxMeter } from "../host/usage.ts";
import { Pod } from "../kinds/core/pod.ts";
import { Service } from "../kinds/core/service.ts";
import { ServiceCIDR } from "../kinds/networking/servicecidr.ts";
import { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { Agent, type AgentOptions } from "../node/agent.ts";
import { PolicyEnforcer } from "../proxy/policy.ts";
import { DelegatedAccess } from "../node/access.ts";
import { AgentApi } from "../node/agent-api.ts";
import { kubeletConfiguration } from "../node/configuration.ts";
import { AgentFigures } from "../node/figures.ts";
import { WatchedReferences } from "../node/references.ts";
import { Stats } from "../node/stats.ts";
import { parseResolver } from "../node/sandbox-config.ts";
import { firewallWatch } from "./firewall.ts";
import { serveMembers } from "./member-services.ts";
import type { NameServer } from "./names.ts";
import { certificateFigures } from "./certificate-figures.ts";
import { runNodeNetwork } from "./node-network.ts";
import { nodeRoutes } from "./node-routes.ts";
import { agentPaths, clusterDNS, clusterDomain, containerdSettings, forwardingNote, gateways, machineIPv6, machineOwn, nodePlace, podNetworks, policyTable, registryNote, serviceRanges } from "./node-settings.ts";
import { clusterAsKept, moved, presentCluster } from "./present-cluster.ts";
import { startReport } from "./status-file.ts";
import { build, version } from "./version.ts";

const podsMax = 110;
const resolvConf = "/etc/resolv.conf";
/** The server makes our identity at its first start, beside us. */
const identityWaitMs = 30_000;
// A disk that needs longer has more to write than an image.
const imageSyncMs = 30_000;
/** Containers of this long ago that the runtime still does not list are nobody's. */
const strayFirstMs = 30_000;
const strayEveryMs = 60_000;
const memoryDirBytesMax = 256 * 2 ** 20;

/** Runs until SIGTERM or SIGINT; gives the exit code. `names` answers already. `node` names a member; absent: the machine itself. */
export async function runAgent(dataFolder: string, node: string | undefined, names: NameServer | undefined): Promise<number> {
  // A member has the address of its link, wherever the machine goes.
  const cluster = node === undefined ? await presentCluster(dataFolder) : await clusterAsKept(dataFolder);
  const report = startReport("agent", nodePlace(cluster, node).runFolder);
  const log = lineLog(standardOutput(), "info");
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const fatal = (error: unknown): never => {
    log.error("ending: an invariant is broken", { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
    process.exit(1);
  };
  process.on("uncaughtException", fatal);
  process.on("unhandledRejection", fatal);
  let anew = false;
  if (node === undefined) void moved(cluster, { clock: systemClock(), log }, stop.signal).then(has => { anew = has; stop.abort(); });
  try {
    await start(cluster, node, names, log, report, stop.signal);
  } catch (error) {
    report.failed(messageOf(error));
    log.error("could not start", { error: messageOf(error) });
    return 1;
  }
  log.info("stopped; pods go on");
  return anew ? startAgain : 0;
}

async function start(cluster: Cluster, name: string | undefined, names: NameServer | undefined, log: Log, report: ReturnType<typeof startReport>, signal: AbortSignal): Promise<void> {
  const clock = systemClock();
  const random = systemRandom();
  const place = nodePlace(cluster, name);
  const at = agentPaths(cluster, place);
  const boot = place.boxed ? boxId(place) : bootId();
  const settings = { ...containerdSettings(cluster, place), boot };
  const files = nodeFiles();
  await mkdir(place.runFolder, { recursive: true, mode: 0o711 });
  if (!place.boxed) await rememberFolders(pathsOf(settings).folders);
  let agent: Agent | undefined;
  const registries = new RegistryHosts({
    folder: pathsOf(settings).hosts, ...(cluster.registries === undefined ? {} : { file: cluster.registries, kept: at.registries }), ...(place.boxed && { gatewayNote: registryNote(cluster) }),
    tell: problem => {
      if (problem === undefined) return log.info("the registries file can be used again");
      log.warn("the registries file cannot be used: what it said before counts", { problem });
      agent?.tellNode("InvalidRegistries", `${problem}: what the file said before counts until it is mended`);
    },
  });
  await registries.check();
  const containerd = await ensureContainerd(settings, log.child("containerd"));
  report.step(`containerd (${containerd.runtime})`);
  for (const folder of [at.podsDir, at.logsDir, at.memoryDir]) await mkdir(folder, { recursive: true, mode: 0o750 });
  await files.mountTmpfs(at.memoryDir, memoryDirBytesMax);
  if (cluster.ipv6 && !place.boxed) await addLoopbackAddress(machineIPv6(cluster.ipv6), settings.path);
  const network = new PodNetwork(cluster.id, podNetworks(cluster), serviceRanges(cluster, []), settings.path);
  await network.start();
  // Its rules have loaded what remembers connections, if nothing had.
  await enableForwarding(forwardingNote(cluster, place), cluster.ipv6 !== undefined);
  report.step("pod network");

  const [clientIdentity, servingIdentity, proxyIdentity] = await Promise.all([at.clientIdentity, at.servingIdentity, at.proxyIdentity].map(path => identityAt(path, clock)));
  if (!clientIdentity || !servingIdentity || !proxyIdentity) throw new Error("an identity is missing");
  const figures = new AgentFigures(place.name);
  const connectAs = (identity: Identity): HttpTransport => new HttpTransport({
    address: place.api, port: cluster.port, ca: identity.trusted ?? "", identity: pemOf(identity), userAgent: `timonier-agent/${version.timonier}`, clock, random, log: log.child("client"),
  });
  const transport = connectAs(clientIdentity);
  const proxyTransport = connectAs(proxyIdentity);
  const client = new HttpClient(countedTransport(transport, `${place.api}:${cluster.port}`, clock, (method, host, code, ms) => figures.asked(method, host, code, ms)), "kubelet");
  const proxyClient = new HttpClient(proxyTransport, "kube-proxy");
  const { addresses } = place;
  const machine = (): ReturnType<typeof machineFacts> => machineFacts(hostname(), addresses, place.dataFolder, boot, place.boxed ? place.name : undefined);
  const facts = await machine();
  const runtime = new CriRuntime(containerd.socket, {
    called: (operation, ms, failed) => figures.runtimeCalled(operation, ms, failed), beforePull: reference => registries.prepare(reference),
    // containerd unpacks images without a sync: after a power cut their files would be empty, and the image broken until somebody removes it.
    afterPull: () => syncFileSystem(pathsOf(settings).root, imageSyncMs).catch((error: unknown) => log.warn("an image is not known to be on the disk", { error: messageOf(error) })),
  });
  const pods = new Informer(Pod, client, { fieldSelector: `spec.nodeName=${place.name}` });
  const nodes = new Informer(Node, proxyClient);
  const services = new Informer(Service, proxyClient);
  const slices = new Informer(EndpointSlice, proxyClient);
  const ranges = new Informer(ServiceCIDR, proxyClient);
  const policies = new PolicyEnforcer({ client: proxyClient, nodeName: place.name, tables: [{ family: "IPv4", name: policyTable(cluster.id), dns: clusterDNS(cluster) }, ...(cluster.ipv6 ? [{ family: "IPv6", name: policyTable(cluster.id, "ip6") } as const] : [])], filter: nftables(), clock, log: log.child("policies"),
    ...(place.boxed && { machine: { nodes, name: cluster.nodeName, own: machineOwn(cluster), links: gateways(cluster) } }) });
  const recorder = new EventRecorder({ component: "kubelet", host: place.name, client, clock, random, log: log.child("events") });
  const references = new WatchedReferences({ client, clock, log: log.child("references"), onChange: users => agent?.referencesChanged(users) }, signal);
  const stats = new Stats({ meter: linuxMeter(), clock, runtime, node: { nodeName: place.name, cgroupRoot: at.cgroupRoot, logsDir: at.logsDir, podsDir: at.podsDir }, imagesDir: pathsOf(settings).root });
  const agentOptions: AgentOptions = {
    stats, figures, pinnedImages: [pauseImage],
    client, clock, random, log: log.child("agent"), recorder, runtime, references, pods, machine, podCIDRs: place.podCIDRs,
    host: { files, cgroups: linuxCgroups(at.cgroupRoot), connector: probeConnector(), hostPorts: network, gate: policies },
    identity: { name: place.name, kubeletVersion: version.kubernetes, port: cluster.nodePort, podsMax, labels: {} },
    node: {
      nodeName: place.name, hostIPs: addresses, memoryCapacity: facts.memoryBytes, clusterDomain, clusterDNS: [clusterDNS(cluster)], resolver: parseResolver(await readFile(resolvConf, "utf8").catch(() => "")),
      cgroupRoot: at.cgroupRoot, logsDir: at.logsDir, podsDir: at.podsDir, memoryDir: at.memoryDir, seccompDir: at.seccompDir,
    },
    services: async () => {
      await services.listed(signal);
      return services.list();
    },
    nodeHosts: () => readFile("/etc/hosts", "utf8"),
    ensureRuntime: async () => {
      if (livingContainerd(settings) === undefined) await ensureContainerd(settings, log.child("containerd"));
    },
  };
  agent = new Agent(agentOptions);
  const certificates = certificateFigures(figures.metrics, clock, { client: clientIdentity, server: servingIdentity });
  addProcessFigures(figures.metrics);
  addStartTime(figures.probes);
  addBuildInfo(figures.metrics, build);

  const server = await startNodeServer({
    addresses: place.listen, port: cluster.nodePort, credentials: { ...pemOf(servingIdentity), clientCa: servingIdentity.trusted ?? "" }, clock, log: log.child("https"),
    node: new AgentApi(agent, { runtime, streams: new ContainerdStreams(runtime, `${place.runFolder}/exec`, log), logs: logFiles(), clock, stats, figures, configuration: () => kubeletConfiguration(agentOptions, { containerRuntimeEndpoint: `unix://${containerd.socket}`, runtimeRequestMs: runtimeLimit.request, resolvConf, webhooks: true }) }),
    figures,
    access: new DelegatedAccess(client, clock, place.name),
  });
  report.step(`node agent on https://${addresses[0]}:${cluster.nodePort}`);
  const watchers = [
    watchIdentity(at.proxyIdentity, identity => proxyTransport.setIdentity(pemOf(identity)), error => log.warn("a renewed identity could not be read", { error: messageOf(error) })),
    watchIdentity(at.clientIdentity, identity => { transport.setIdentity(pemOf(identity)); certificates.renewed("client", identity); }, error => { certificates.failed("client"); log.warn("a renewed identity could not be read", { error: messageOf(error) }); }),
    watchIdentity(at.servingIdentity, identity => { server.setCredentials({ ...pemOf(identity), clientCa: identity.trusted ?? "" }); certificates.renewed("server", identity); }, error => { certificates.failed("server"); log.warn("a renewed identity could not be read", { error: messageOf(error) }); }),
  ];
  const routes = nodeRoutes({
    nodeName: place.name, addresses, nodes, client, clock, log: log.child("routes"), sources: place.boxed || cluster.nodeCIDR === undefined ? [] : [machineOwn(cluster), ...(cluster.ipv6 ? [machineIPv6(cluster.ipv6)] : [])],
    table: { cluster: cluster.id, podCIDRs: podNetworks(cluster), ownPodCIDRs: place.podCIDRs, address: addresses[0]!, path: settings.path },
  });
  const running = [pods, services, slices, policies, nodes, routes, ranges, followRanges(ranges, cluster, network), ...(place.boxed ? [] : [firewallWatch(cluster, { clock, log: log.child("firewall"), path: settings.path })])].map(informer => supervise(informer, { clock, log, maxWaitMs: 5_000 }, signal));
  const serving = runNodeNetwork(cluster, place, { services, slices, nodes, clock, log, path: settings.path, names }, signal);
  const strays = new StrayShims(pathsOf(settings).socket);
  void supervise({
    name: "stray shims",
    run: async stop => {
      // A sandbox that is being made has a shim before it is listed: the looks are further apart than that takes.
      for (let wait = strayFirstMs; !stop.aborted; wait = strayEveryMs) {
        await clock.sleep(wait, stop);
        if (stop.aborted) return;
        const ended = await strays.look(async () => { const { sandboxes, containers } = await runtime.list(); return new Set([...sandboxes, ...containers].map(({ id }) => id)); });
        if (ended.length > 0) log.warn("shims that belonged to no pod were ended", { ids: ended.join(" ") });
      }
    },
  }, { clock, log, maxWaitMs: strayEveryMs }, signal);
  const node = agent.run(signal);
  report.ready();
  settleMemory(log, signal);
  const members = place.boxed ? undefined : serveMembers(cluster, log.child("members"), signal);
  await Promise.all([node, serving, members, ...running]);
  for (const close of watchers) close();
  recorder.close();
  await server.close(1_000);
  transport.close();
  proxyTransport.close();
  runtime.close();
}

/** Service ranges that users add are the cluster's as well: what nobody serves of them does not leave by the default route. */
function followRanges(ranges: Informer<typeof ServiceCIDR>, cluster: Cluster, network: PodNetwork): Running {
  return {
    name: "service ranges",
    async run(signal) {
      let told = JSON.stringify(serviceRanges(cluster, []));
      let wake = (): void => undefined;
      const stop = ranges.onChange(() => wake());
      signal.addEventListener("abort", () => wake(), { once: true });
      try {
        await ranges.listed(signal);
        while (!signal.aborted) {
          const changed = new Promise<void>(resolve => { wake = resolve; });
          const wanted = serviceRanges(cluster, ranges.list());
          if (JSON.stringify(wanted) === told) await changed;
          else {
            await network.setServices(wanted);
            told = JSON.stringify(wanted);
          }
        }
      } finally {
        stop();
      }
    },
  };
}

async function identityAt(path: string, clock: ReturnType<typeof systemClock>): Promise<Identity> {
  for (const began = clock.monotonic(); clock.monotonic() - began < identityWaitMs; await clock.sleep(20)) {
    const identity = await readIdentity(path);
    if (identity) return identity;
  }
  throw new Error(`${path} is not there: the server makes it at its first start, does it run?`);
}
function pemOf(identity: Identity): { readonly cert: string; readonly key: string } {
  return { cert: identity.certificate, key: privateKeyPem(identity.key) };
}

/** One node agent on the simulated runtime, under virtual time, against the real API server in memory. */
import type { Client } from "../src/client/client.ts";
import { EventRecorder } from "../src/client/events.ts";
import { Informer } from "../src/client/informer.ts";
import { supervise } from "../src/base/supervise.ts";
import { Event } from "../src/kinds/core/event.ts";
import { Pod } from "../src/kinds/core/pod.ts";
import { Service } from "../src/kinds/core/service.ts";
import { Agent, type AgentOptions } from "../src/node/agent.ts";
import { SimulatedMeter } from "../src/node/simulated-meter.ts";
import { Stats } from "../src/node/stats.ts";
import { kubeletConfiguration } from "../src/node/configuration.ts";
import { AgentFigures } from "../src/node/figures.ts";
import { AgentApi } from "../src/node/agent-api.ts";
import type { NodeHost } from "../src/node/host.ts";
import { WatchedReferences } from "../src/node/references.ts";
import type { ContainerRuntime } from "../src/node/runtime.ts";
import { SimulatedRuntime } from "../src/node/simulated.ts";
import type { Cluster } from "./sim/cluster.ts";

/** Files in memory; whatever is asked of cgroups and connections succeeds unless a test says otherwise. */
export class PretendedHost {
  readonly published = new Map<string, ReadonlyMap<string, string>>();
  readonly removed: string[] = [];
  /** What HTTP probes are answered. */
  status = 200;
  readonly host: NodeHost = {
    files: {
      makeFolder: async () => undefined, writeFile: async () => undefined, readTail: async () => undefined, setGroup: async () => undefined, mountTmpfs: async () => undefined, mountReadOnly: async () => undefined, bindBeneath: async () => undefined,
      checkHostPath: async () => undefined, list: async () => [], size: async () => 0, rename: async () => undefined, removeTree: async path => void this.removed.push(path),
      publish: async (folder, payload) => {
        this.published.set(folder, new Map([...payload].map(([path, { content }]) => [path, new TextDecoder().decode(content)])));
        return true;
      },
    },
    cgroups: { apply: async () => undefined, remove: async () => undefined, list: async () => [] },
    connector: { http: async () => ({ status: this.status, body: "" }), tcp: async () => undefined, grpc: async () => "SERVING" },
    hostPorts: { open: async () => undefined, close: async () => undefined },
    gate: { admit: async () => undefined, release: () => undefined },
  };
}

/** Calls of a process that has died are never answered, whatever becomes of what they asked for. */
function mortal<T extends object>(target: T, life: AbortSignal): T {
  return new Proxy(target, {
    get: (object, name) => {
      const member: unknown = Reflect.get(object, name);
      if (typeof member !== "function") return member;
      return (...given: unknown[]) => {
        if (life.aborted) return new Promise(() => undefined);
        const result: unknown = Reflect.apply(member, object, given);
        if (!(result instanceof Promise)) return result;
        return new Promise((resolve, reject) => {
          result.then(value => { if (!life.aborted) resolve(value); }, (error: unknown) => { if (!life.aborted) reject(error as Error); });
        });
      };
    },
  });
}

export type World = { readonly runtime: SimulatedRuntime; readonly host: PretendedHost; agent: Agent | undefined; api: AgentApi | undefined };

/** The agent as a process that may die and come back; what runs outlives it. */
export function runAgent(cluster: Cluster, name: string, podsMax = 5, change: (runtime: SimulatedRuntime) => ContainerRuntime = runtime => runtime): World {
  const host = new PretendedHost();
  const runtime = new SimulatedRuntime({ clock: cluster.clock, random: cluster.random.fork(), network: "10.244.0." });
  const world: World = { runtime, host, agent: undefined, api: undefined };
  cluster.process(name, async life => {
    const { client, clock, random, log } = cluster.world(name, life);
    const pods = new Informer(Pod, client, { fieldSelector: `spec.nodeName=${name}` });
    const services = new Informer(Service, client);
    for (const informer of [pods, services]) void supervise(informer, { clock, log, maxWaitMs: 5_000 }, life);
    const references = new WatchedReferences({ client, clock, log, onChange: users => world.agent?.referencesChanged(users) }, life);
    const own = mortal(change(runtime), life);
    const meter = new SimulatedMeter(clock, { cpus: 2, memoryBytes: 2 ** 30, ephemeralBytes: 2 ** 33 }, () => [...(world.agent?.workers.values() ?? [])].map(({ pod, runtimeState }) => ({ pod, state: runtimeState })));
    const stats = new Stats({ meter, clock, runtime, node: { nodeName: name, cgroupRoot: "/test", logsDir: "/logs", podsDir: "/pods" }, imagesDir: "/images" });
    const figures = new AgentFigures(name);
    const options: AgentOptions = {
      stats, figures,
      client, clock, random, log, runtime: own, references, pods, podCIDRs: [], host: { files: mortal(host.host.files, life), cgroups: host.host.cgroups, connector: host.host.connector, hostPorts: host.host.hostPorts, gate: host.host.gate }, recorder: new EventRecorder({ component: "kubelet", host: name, client, clock, random, log }),
      identity: { name, kubeletVersion: "v1.36.0", port: 10250, podsMax, labels: {} },
      node: {
        nodeName: name, hostIPs: ["192.0.2.1"], memoryCapacity: 2 ** 30, clusterDomain: "cluster.local", clusterDNS: ["10.96.0.10"], resolver: { servers: [], searches: [], options: [] },
        cgroupRoot: "/test", logsDir: "/logs", podsDir: "/pods", memoryDir: "/memory", seccompDir: "/seccomp",
      },
      machine: async () => ({ hostname: name, addresses: ["192.0.2.1"], architecture: "amd64", kernelVersion: "", osImage: "", machineID: "", systemUUID: "", bootID: "", cpus: 2, memoryBytes: 2 ** 30, ephemeralBytes: 2 ** 33, swapBytes: 0, hugepages: {} }),
      services: async () => services.list(), nodeHosts: async () => "",
    };
    const agent = new Agent(options);
    world.agent = agent;
    world.api = new AgentApi(agent, { stats, figures, configuration: () => kubeletConfiguration(options, { containerRuntimeEndpoint: "", webhooks: false }), runtime, clock, logs: runtime.logFiles(), streams: { exec: async () => ({ exitCode: 0 }), attach: async () => undefined, portForward: async () => undefined } });
    await agent.run(life);
  });
  return world;
}

type PodSpec = { readonly [field: string]: unknown };
/** A pod bound to the node. */
export function createPod(cluster: Cluster, node: string, name: string, spec: PodSpec, annotations: { readonly [key: string]: string } = {}): Promise<unknown> {
  const { admin }: { readonly admin: Client } = cluster;
  return cluster.run(admin.create(Pod, { metadata: { name, namespace: "default", annotations }, spec: { nodeName: node, terminationGracePeriodSeconds: 5, ...spec } } as never));
}
export function podNamed(cluster: Cluster, name: string): Pod | undefined {
  return cluster.all(Pod).find(({ metadata }) => metadata.name === name);
}
/** `Reason: message` of a pod's events, oldest first. */
export function eventsOf(cluster: Cluster, name: string): readonly string[] {
  return cluster.all(Event).filter(event => event.involvedObject.name === name && event.source?.component === "kubelet").map(({ reason, message }) => `${reason}: ${message}`);
}
/** `main=running side=waiting:PodInitializing`: the containers as their statuses show them. */
export function shown(pod: Pod | undefined): string {
  const statuses = [...(pod?.status.initContainerStatuses ?? []), ...(pod?.status.containerStatuses ?? [])];
  return statuses.map(({ name, state, restartCount }) => `${name}=${state.running ? "running" : state.terminated ? `ended:${state.terminated.exitCode}` : `waiting:${state.waiting?.reason ?? ""}`}${restartCount > 0 ? `x${restartCount}` : ""}`).join(" ");
}

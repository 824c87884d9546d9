/** Many simulated nodes in one process: one agent each, one watch for all. */
import { ApiError } from "../base/api-error.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Client } from "../client/client.ts";
import { EventRecorder } from "../client/events.ts";
import { byNode, joinKey, type Change, type Informer } from "../client/informer.ts";
import type { Informers } from "../client/informers.ts";
import { ConfigMap } from "../kinds/core/configmap.ts";
import { Pod } from "../kinds/core/pod.ts";
import { Secret } from "../kinds/core/secret.ts";
import { Service } from "../kinds/core/service.ts";
import { Agent, type AgentOptions, type PodSource } from "./agent.ts";
import { AgentApi, type RuntimeStreams } from "./agent-api.ts";
import type { NodeApi, ProcessStreams } from "./api.ts";
import { kubeletConfiguration } from "./configuration.ts";
import { AgentFigures } from "./figures.ts";
import type { NodeHost } from "./host.ts";
import type { References } from "./references.ts";
import { SimulatedMeter } from "./simulated-meter.ts";
import { SimulatedRuntime } from "./simulated.ts";
import { Stats } from "./stats.ts";

export type SimulatedNodesOptions = {
  readonly client: Client;
  /** Shared with the controllers: pods, services, config maps and secrets are watched once. */
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly count: number;
  /** `sim` gives nodes sim-0, sim-1, … */
  readonly namePrefix: string;
  readonly kubeletVersion: string;
  /** Where the one HTTPS server of all of them listens. */
  readonly address: string;
  readonly port: number;
  /** `10.244.0.0/16`: each node has the next /24. */
  readonly podCIDR: string;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly labels?: { readonly [key: string]: string };
};

export type SimulatedNode = { readonly name: string; readonly agent: Agent; readonly runtime: SimulatedRuntime };
const podsMax = 110;

export class SimulatedNodes {
  readonly nodes: readonly SimulatedNode[];
  readonly #recorders: readonly EventRecorder[];
  readonly #apis: readonly NodeApi[];
  readonly api: NodeApi;
  /** Of the first node, which answers where a path names none: counting for each would cost more than the nodes. */
  readonly figures: AgentFigures;

  constructor(options: SimulatedNodesOptions) {
    const { client, clock, random, log, informers, namePrefix, count } = options;
    const router = new PodRouter(informers.of(Pod));
    const services = informers.of(Service);
    const references = sharedReferences(informers);
    const never = new AbortController().signal;
    const recorders: EventRecorder[] = [];
    this.figures = new AgentFigures(`${namePrefix}-0`);
    const nodes = Array.from({ length: count }, (_, index): SimulatedNode & { readonly configuration: () => Json } => {
      const name = `${namePrefix}-${index}`;
      const network = networkOf(options.podCIDR, index);
      const runtime = new SimulatedRuntime({ clock, random, network: network.slice(0, network.lastIndexOf(".") + 1) });
      const recorder = new EventRecorder({ component: "kubelet", host: name, client, clock, random, log });
      recorders.push(recorder);
      const memoryBytes = options.memoryBytes ?? 32 * 2 ** 30;
      const figures = index === 0 ? this.figures : undefined;
      const agentOptions: AgentOptions = {
        ...(figures && { figures }), client, clock, random, log: log.child(name), recorder, runtime, references, pods: router.forNode(name), podCIDRs: [`${network}/24`], host: nowhere,
        identity: { name, kubeletVersion: options.kubeletVersion, port: options.port, podsMax, labels: { "timonier.dev/simulated": "true", ...options.labels } },
        node: {
          nodeName: name, hostIPs: [options.address], memoryCapacity: memoryBytes, clusterDomain: "cluster.local", clusterDNS: [], resolver: { servers: [], searches: [], options: [] },
          cgroupRoot: "/simulated", logsDir: `/simulated/${name}/logs`, podsDir: `/simulated/${name}/pods`, memoryDir: `/simulated/${name}/memory`, seccompDir: "/simulated/seccomp",
        },
        machine: async () => ({
          hostname: name, addresses: [options.address], architecture: "amd64", kernelVersion: "simulated", osImage: "simulated", machineID: name, systemUUID: name, bootID: name,
          cpus: options.cpus ?? 8, memoryBytes, ephemeralBytes: 100 * 2 ** 30, swapBytes: 0, hugepages: {},
        }),
        services: async () => {
          await services.listed(never);
          return services.list();
        },
        nodeHosts: async () => "",
      };
      return { name, agent: new Agent(agentOptions), runtime, configuration: () => kubeletConfiguration(agentOptions, { containerRuntimeEndpoint: "", webhooks: false }) };
    });
    this.nodes = nodes;
    this.#recorders = recorders;
    const facts = { cpus: options.cpus ?? 8, memoryBytes: options.memoryBytes ?? 32 * 2 ** 30, ephemeralBytes: 100 * 2 ** 30 };
    this.#apis = nodes.map(({ name, agent, runtime, configuration }, index) => {
      const meter = new SimulatedMeter(clock, facts, () => [...agent.workers.values()].map(({ pod, runtimeState }) => ({ pod, state: runtimeState })));
      const stats = new Stats({ meter, clock, runtime, node: { nodeName: name, cgroupRoot: "/simulated", logsDir: `/simulated/${name}/logs`, podsDir: `/simulated/${name}/pods` }, imagesDir: "/simulated" });
      return new AgentApi(agent, { runtime, clock, logs: runtime.logFiles(), streams: pretendedStreams(clock), stats, configuration, ...(index === 0 ? { figures: this.figures } : {}) });
    });
    this.api = this.#together();
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.nodes.map(({ agent }) => agent.run(signal)));
    for (const recorder of this.#recorders) recorder.close();
  }

  /** A node's stats summary. */
  async stats(name: string, brief: boolean): Promise<Json> {
    const api = this.#apis[this.nodes.findIndex(node => node.name === name)];
    if (!api) throw new ApiError("NotFound", `node "${name}" is not simulated here`);
    return api.statsSummary(brief);
  }

  /** One API for all: a pod's name says which node it is on. */
  #together(): NodeApi {
    const of = ({ namespace, pod, uid }: { readonly namespace: string; readonly pod: string; readonly uid?: string }): NodeApi => {
      const index = this.nodes.findIndex(({ agent }) => agent.workerOf(namespace, pod, uid) !== undefined);
      const found = this.#apis[index];
      if (!found) throw new ApiError("NotFound", `pod "${pod}" not found`);
      return found;
    };
    const first = (): NodeApi => this.#apis[0] ?? fail(new ApiError("NotFound", "no node is simulated here"));
    return {
      metrics: async () => first().metrics(), probeMetrics: () => first().probeMetrics(), configuration: () => first().configuration(), runningPods: async () => (await Promise.all(this.#apis.map(api => api.runningPods()))).flat(),
      pods: () => this.#apis.flatMap(api => [...api.pods()]), logs: async request => of(request).logs(request), exec: async request => of(request).exec(request), attach: async request => of(request).attach(request),
      portForward: async (request, port, local, signal) => of(request).portForward(request, port, local, signal), healthz: async () => undefined,
      // Which of the nodes is meant shows in no path: the first answers for itself.
      statsSummary: async brief => this.stats(this.nodes[0]?.name ?? "", brief), cadvisorMetrics: () => this.#apis[0]?.cadvisorMetrics() ?? "",
    };
  }
}

function fail(error: Error): never {
  throw error;
}

/** Hands each pod's changes to the one node it is bound to. */
class PodRouter {
  readonly #informer: Informer<typeof Pod>;
  readonly #listeners = new Map<string, (change: Change<Pod>) => void>();
  constructor(informer: Informer<typeof Pod>) {
    this.#informer = informer;
    informer.onChange(change => this.#listeners.get(change.object.spec.nodeName ?? "")?.(change as Change<Pod>));
  }
  forNode(name: string): PodSource {
    return {
      list: () => this.#informer.by(byNode, name), listed: signal => this.#informer.listed(signal),
      onChange: listener => {
        this.#listeners.set(name, listener);
        return () => void this.#listeners.delete(name);
      },
    };
  }
}

function sharedReferences(informers: Informers): References {
  const never = new AbortController().signal;
  const find = async <T>(informer: { get(key: string): T | undefined; listed(signal: AbortSignal): Promise<void> }, namespace: string, name: string): Promise<T | undefined> => {
    await informer.listed(never);
    return informer.get(joinKey(namespace, name));
  };
  return {
    configMap: (namespace, name) => find(informers.of(ConfigMap), namespace, name), secret: (namespace, name) => find(informers.of(Secret), namespace, name), use: () => undefined, release: () => undefined,
  };
}

/** The /24 of a node: the `index`-th after the cluster's network address. */
function networkOf(podCIDR: string, index: number): string {
  const [a = 10, b = 244, c = 0] = podCIDR.split("/")[0]!.split(".").map(Number);
  const block = a * 65_536 + b * 256 + c + index;
  return `${Math.floor(block / 65_536) % 256}.${Math.floor(block / 256) % 256}.${block % 256}.0`;
}

/** Files, cgroups and connections of a node that has none. Probes of what runs succeed. */
const nowhere: NodeHost = {
  files: {
    makeFolder: async () => undefined, publish: async () => false, writeFile: async () => undefined, readTail: async () => undefined, setGroup: async () => undefined, mountTmpfs: async () => undefined, mountReadOnly: async () => undefined,
    bindBeneath: async () => undefined, checkHostPath: async () => undefined, removeTree: async () => undefined, list: async () => [], size: async () => 0, rename: async () => undefined,
  },
  cgroups: { apply: async () => undefined, remove: async () => undefined, list: async () => [] },
  connector: { http: async () => ({ status: 200, body: "" }), tcp: async () => undefined, grpc: async () => "SERVING" },
  hostPorts: { open: async () => undefined, close: async () => undefined },
  gate: { admit: async () => undefined, release: () => undefined },
};

/** Streams of processes that are not there: `cat` and `echo` do what they say, everything else says what it is. */
function pretendedStreams(clock: Clock): RuntimeStreams {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  return {
    exec: async (_id, command, _tty, { stdin, stdout, stderr }: ProcessStreams) => {
      const [program = "", ...words] = command;
      if (program === "echo") await stdout?.write(bytes(`${words.join(" ")}\n`));
      else if (program === "cat" && words.length === 0) for await (const chunk of stdin ?? []) await stdout?.write(chunk);
      else if (program === "true" || program === "false") return { exitCode: program === "true" ? 0 : 1 };
      else {
        await (stderr ?? stdout)?.write(bytes(`${program}: this container is simulated, it has no programs\n`));
        return { exitCode: 127 };
      }
      return { exitCode: 0 };
    },
    attach: async (_id, _tty, { stdout }, signal) => {
      await stdout?.write(bytes("this container is simulated, it says nothing\n"));
      while (!signal.aborted) await clock.sleep(60_000, signal);
    },
    portForward: async () => {
      throw new Error("this pod is simulated, nothing listens on its ports");
    },
  };
}
